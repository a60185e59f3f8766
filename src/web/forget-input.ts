import { Server as SecureServer } from "node:https";
import type { Socket } from "node:net";
import type { AnyServer } from "./http-server.ts";

/**
 * Overwrites each piece of what comes in once Node's parser has read it: by then headers are strings and
 * bodies are copies. It also gives every piece a buffer of its own. Left alone, Node reads all of them
 * into one of 64 KiB, in which the end of a long request stays until a longer one comes.
 */
export function forgetInput(server: AnyServer): void {
  // The server's own listener is older than ours, so the parser sees the bytes first.
  server.on(server instanceof SecureServer ? "secureConnection" : "connection", (socket: Socket) => {
    socket.on("data", (bytes: Buffer) => bytes.fill(0));
  });
}
