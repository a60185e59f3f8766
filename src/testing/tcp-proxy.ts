import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A relay between a client and a server that a test can break at will. */
export interface TcpProxy {
  readonly port: number;
  /** Ends every connection and refuses new ones, until `mend`. */
  cut(): void;
  mend(): void;
  /**
   * Lets this many more answers pass; the next request still reaches the server, and its answer cuts
   * the line instead of arriving: a connection lost between an act and its answer.
   */
  swallowAnswers(after?: number): void;
  close(): Promise<void>;
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let broken = false;
  let answersLeft = Number.POSITIVE_INFINITY;

  function cut(): void {
    broken = true;
    for (const socket of sockets) socket.destroy();
  }

  const server = createServer((near) => {
    if (broken) {
      near.destroy();
      return;
    }
    const far = connect(targetPort, "127.0.0.1");
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.on("error", () => {}); // "close" follows
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    near.on("data", (chunk) => far.write(chunk));
    far.on("data", (chunk) => {
      if (answersLeft-- <= 0) cut();
      else near.write(chunk);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The system gave no port.");

  return {
    port: address.port,
    cut,
    mend() {
      broken = false;
      answersLeft = Number.POSITIVE_INFINITY;
    },
    swallowAnswers(after = 0) {
      answersLeft = after;
    },
    async close() {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
