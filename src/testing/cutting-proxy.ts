import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { joinSockets } from "./join-sockets.ts";

/** A relay that breaks off now and then, as a train's Wi-Fi does. */
export interface CuttingProxy {
  readonly port: number;
  /** How often it has. */
  readonly cuts: () => number;
  close(): Promise<void>;
}

/**
 * Breaks every connection each time that `every` more bytes have passed, both ways counted together,
 * until it has done so `times` times; then it lets everything through.
 */
export async function startCuttingProxy(
  targetPort: number,
  { every, times }: { readonly every: number; readonly times: number },
): Promise<CuttingProxy> {
  const sockets = new Set<Socket>();
  let passed = 0;
  let cuts = 0;

  function count(bytes: number): void {
    passed += bytes;
    if (cuts >= times || passed < every) return;
    passed = 0;
    cuts += 1;
    for (const socket of sockets) socket.resetAndDestroy();
  }

  const server = createServer((near) => {
    const far = connect(targetPort, "127.0.0.1");
    joinSockets(near, far, sockets);
    for (const socket of [near, far]) socket.on("data", (chunk) => count(chunk.length));
    near.pipe(far);
    far.pipe(near);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The system gave no port.");
  return {
    port: address.port,
    cuts: () => cuts,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
