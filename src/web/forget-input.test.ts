import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { describe, it } from "node:test";
import { forgetInput } from "./forget-input.ts";

describe("forgetInput", () => {
  it("leaves zeros of what came in, and a handler all of its headers and body", async () => {
    const bodies: string[] = [];
    const server = createServer(async (req, res) => {
      const pieces: Buffer[] = [];
      for await (const piece of req) pieces.push(piece);
      bodies.push(`${req.headers["x-name"]} ${Buffer.concat(pieces).toString()}`);
      res.end("read");
    });
    forgetInput(server);
    const received: Buffer[] = [];
    server.on("connection", (socket: Socket) => socket.on("data", (bytes: Buffer) => received.push(bytes)));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    try {
      const sent = request({ port, host: "127.0.0.1", method: "POST", headers: { "X-Name": "a name" } });
      sent.write("the first part, ");
      await new Promise((resolve) => setImmediate(resolve));
      sent.end(`the second part ${"and more ".repeat(20_000)}`);
      const [answer] = await once(sent, "response");
      answer.resume();
      await once(answer, "end");
    } finally {
      server.close();
      server.closeAllConnections();
    }
    assert.equal(bodies[0]?.slice(0, 38), "a name the first part, the second part");
    assert.equal(bodies[0]?.length, 39 + 180_000);
    assert.ok(received.length > 0 && received.every((bytes) => bytes.every((byte) => byte === 0)));
  });
});
