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
  readonly accepted: boolean;
}

export interface Receiver {
  readonly url: string;
  readonly port: number;
  readonly arrivals: readonly Arrival[];
  stop(): Promise<void>;
}

export interface ReceiverOptions {
  /** Milliseconds until it answers. */
  readonly latency: number;
  /** Answers 503 to every so-manieth arrival, having noted it. */
  readonly failEach: number;
}

/** A real HTTP server, somebody else's, that is neither fast nor reliable. */
export async function startReceiver({ latency, failEach }: ReceiverOptions): Promise<Receiver> {
  const arrivals: Arrival[] = [];
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk);
    const { type, timestamp, data } = JSON.parse(Buffer.concat(chunks).toString());
    await sleep(Math.random() * 2 * latency);
    const accepted = (arrivals.length + 1) % failEach !== 0;
    const event = `${String(type).replace("secret.", "")} ${data.secret} ${timestamp}`;
    arrivals.push({ key: String(req.headers["webhook-id"]), event, accepted });
    res.writeHead(accepted ? 204 : 503).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    port,
    arrivals,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
