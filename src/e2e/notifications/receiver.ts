import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** One arrival of one notification. */
export interface Arrival {
  /** `webhook-id`: the idempotency key. */
  readonly key: string;
  /** `opened <fingerprint> <time of the event>`: what it says, whatever its key. */
  readonly event: string;
  /** Whether it was answered 204, also where nobody was there any more to hear it. */
  readonly accepted: boolean;
}

export interface Receiver {
  readonly url: string;
  readonly arrivals: readonly Arrival[];
  /** From now on nothing is answered, until `release`, which refuses every other one of those. */
  hold(): void;
  /** How many wait for an answer. */
  held(): number;
  release(): void;
  stop(): Promise<void>;
}

export interface ReceiverOptions {
  /** Milliseconds until it answers. */
  readonly latency: number;
  /** Answers 503 to one in so many arrivals. */
  readonly failEach: number;
}

/** A real HTTP server, somebody else's, that is neither fast nor reliable. */
export async function startReceiver({ latency, failEach }: ReceiverOptions): Promise<Receiver> {
  const arrivals: Arrival[] = [];
  let held: (() => void)[] | undefined;
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk);
    const { type, timestamp, data } = JSON.parse(Buffer.concat(chunks).toString());
    await sleep(Math.random() * 2 * latency);
    let accepted = (arrivals.length + 1) % failEach !== 0;
    const waiting = held;
    if (waiting) {
      await new Promise<void>((resolve) => void waiting.push(resolve));
      accepted = arrivals.length % 2 === 0;
    }
    const event = `${String(type).replace("secret.", "")} ${data.secret} ${timestamp}`;
    arrivals.push({ key: String(req.headers["webhook-id"]), event, accepted });
    res.writeHead(accepted ? 204 : 503).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    arrivals,
    hold() {
      held ??= [];
    },
    held: () => held?.length ?? 0,
    release() {
      for (const answer of held ?? []) answer();
      held = undefined;
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
