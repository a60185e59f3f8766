import type { Socket } from "node:net";
import type { Response } from "express";

const waiting = new WeakMap<Socket, Set<() => void>>();

/**
 * Does it once, when the answer is over: sent, or never to be. That may be before it was asked for, when
 * the client hung up while something was awaited. And an answer whose turn had not come when the
 * connection ended, behind another in a pipeline, has no "close" at all: Node tells the one that had it.
 */
export function onceOver(res: Response, act: () => void): void {
  const { socket } = res.req;
  if (res.closed || socket.closed) {
    act();
    return;
  }
  // One listener for all requests of a connection, of which there may be thousands.
  const acts = waiting.get(socket) ?? new Set();
  if (!waiting.has(socket)) {
    waiting.set(socket, acts);
    socket.once("close", () => {
      for (const each of acts) each();
    });
  }
  const once = () => {
    if (acts.delete(once)) act();
  };
  acts.add(once);
  res.once("close", once);
}
