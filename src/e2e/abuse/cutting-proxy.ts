import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

export type Cut = "FIN" | "RST";

/** A relay that lets so many bytes of the answer through, and then ends the connection on both sides. */
export interface CuttingProxy {
  /**
   * For the connection from this local port of 127.0.0.1, before it sends anything. `hear` is given the
   * answer's first bytes, whatever of them goes on.
   */
  plan(clientPort: number, after: number, how: Cut, hear: (start: Buffer) => void): void;
  readonly port: number;
  close(): Promise<void>;
}

interface Plan {
  readonly after: number;
  readonly how: Cut;
  readonly hear: (start: Buffer) => void;
}

export async function startCuttingProxy(targetPort: number): Promise<CuttingProxy> {
  const plans = new Map<number, Plan>();
  const open = new Set<Socket>();

  const server = createServer((near) => {
    let plan: Plan | undefined;
    let left = Number.POSITIVE_INFINITY;
    const far = connect(targetPort, "127.0.0.1");
    for (const socket of [near, far]) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => {}); // "close" follows
      socket.on("close", () => open.delete(socket));
    }
    near.on("data", (chunk) => {
      // Not before: the client may hear later than we that it is connected.
      plan ??= plans.get(near.remotePort ?? 0);
      left = plan?.after ?? left;
      plans.delete(near.remotePort ?? 0);
      far.write(chunk);
    });
    near.on("close", () => far.destroy());
    far.on("close", () => near.end());
    far.once("data", (chunk: Buffer) => plan?.hear(chunk));
    far.on("data", (chunk: Buffer) => {
      const passed = chunk.subarray(0, left);
      left -= passed.length;
      if (left > 0) {
        near.write(passed);
        return;
      }
      // What was written goes out first; the server sees its side broken at once.
      if (plan?.how === "RST") {
        near.write(passed, () => near.resetAndDestroy());
        far.resetAndDestroy();
      } else {
        near.end(passed);
        far.destroy();
      }
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The system gave no port.");
  return {
    port: address.port,
    plan: (clientPort, after, how, hear) => void plans.set(clientPort, { after, how, hear }),
    async close() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
