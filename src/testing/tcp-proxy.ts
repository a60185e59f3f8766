import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { joinSockets } from "./join-sockets.ts";

/** A relay between a client and a server that a test can break at will. */
export interface TcpProxy {
  readonly port: number;
  /** Ends every connection and refuses new ones, until `mend`. */
  cut(): void;
  /** All passes again, at once. What a hole has kept back arrives late, as TCP would send it again. */
  mend(): void;
  /** From now on it leads to another port of 127.0.0.1, as when a service's address moves: all must connect anew. */
  aim(port: number): void;
  /** A black hole: connections stay, new ones are accepted, and nothing arrives on either side, until `mend`. */
  silence(): void;
  /** Lets this many more answers pass; then requests still reach the server and answers no longer arrive. */
  holdAnswers(after?: number): void;
  /** How many answers `holdAnswers` keeps back by now. */
  held(): number;
  /**
   * Lets this many more answers pass; the next request still reaches the server, and its answer cuts
   * the line instead of arriving: a connection lost between an act and its answer.
   */
  swallowAnswers(after?: number): void;
  /** The same for the first answer that is like this, whatever else is answered before it. */
  swallowAnswerLike(isIt: (answer: Buffer) => boolean): void;
  close(): Promise<void>;
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let target = targetPort;
  let broken = false;
  let silent = false;
  let answersLeft = Number.POSITIVE_INFINITY;
  let isUnwanted: (answer: Buffer) => boolean = () => false;
  let answersUntilHold = Number.POSITIVE_INFINITY;
  let kept: (() => void)[] = [];

  function cut(): void {
    broken = true;
    kept = [];
    for (const socket of sockets) socket.destroy();
  }

  const server = createServer((near) => {
    if (broken) {
      near.destroy();
      return;
    }
    const far = connect(target, "127.0.0.1");
    joinSockets(near, far, sockets);
    near.on("data", (chunk) => far.write(chunk));
    far.on("data", (chunk) => {
      if (answersLeft-- <= 0 || isUnwanted(chunk)) cut();
      else if (answersUntilHold-- <= 0) kept.push(() => near.destroyed || near.write(chunk));
      else near.write(chunk);
    });
    if (silent) for (const socket of [near, far]) socket.pause();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The system gave no port.");

  return {
    port: address.port,
    cut,
    mend() {
      broken = false;
      silent = false;
      answersLeft = Number.POSITIVE_INFINITY;
      isUnwanted = () => false;
      answersUntilHold = Number.POSITIVE_INFINITY;
      for (const arrive of kept.splice(0)) arrive();
      for (const socket of sockets) socket.resume();
    },
    aim(port) {
      target = port;
      for (const socket of sockets) socket.destroy();
    },
    silence() {
      silent = true;
      for (const socket of sockets) socket.pause();
    },
    holdAnswers(after = 0) {
      answersUntilHold = after;
    },
    held: () => kept.length,
    swallowAnswers(after = 0) {
      answersLeft = after;
    },
    swallowAnswerLike(isIt) {
      isUnwanted = isIt;
    },
    async close() {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
