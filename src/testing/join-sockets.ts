import type { Socket } from "node:net";

/** The two ends of a relay's line: neither outlives the other. `open` holds both as long as they are. */
export function joinSockets(near: Socket, far: Socket, open: Set<Socket>): void {
  for (const [socket, other] of [
    [near, far],
    [far, near],
  ] as const) {
    socket.setNoDelay(true);
    open.add(socket);
    socket.on("error", () => {}); // "close" follows
    socket.on("close", () => {
      open.delete(socket);
      other.destroy();
    });
  }
}
