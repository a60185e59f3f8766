import { type Cluster, Redis } from "ioredis";
import { RedisFault } from "./redis-faults.ts";

export interface SubscriberOptions {
  readonly client: Redis | Cluster;
  readonly channel: string;
  readonly onMessage: (message: string) => void;
  /** Each time that it is subscribed: what was said before that may have been missed. */
  readonly onSubscribed: () => void;
  /** An answer to the subscription that another try won't change. */
  readonly onRefused: (fault: RedisFault) => void;
}

export interface Subscriber {
  isSubscribed(): boolean;
  /** What is subscribed to is not what is published to, as with a master that was replaced: another one. */
  renew(): void;
  close(): void;
}

/** Milliseconds until the next try, after so many that failed. */
const retryDelay = (failures: number) => Math.min(100 * 2 ** failures, 5_000) * (0.75 + Math.random() / 2);
/** Milliseconds until another try where Redis has said no. */
const REFUSED_DELAY = 30_000;

/**
 * A connection made like the client's. In a Cluster it goes to any node: they tell each other what is
 * published. ioredis has a subscriber for that too, which tries a node that is down again and again
 * without a pause, and never notices that a peer has fallen silent.
 */
function openConnection(client: Redis | Cluster): Redis | undefined {
  const options = { connectionName: "waxseal-changes", lazyConnect: true, retryStrategy: () => null };
  if (client instanceof Redis) return client.duplicate(options);
  const nodes = client.nodes("master").filter(({ status }) => status === "ready" || status === "wait");
  const node = nodes[Math.floor(Math.random() * nodes.length)];
  return node?.duplicate({ ...options, readOnly: false });
}

/** Keeps one connection subscribed to one channel, from now until `close`, whatever becomes of the server. */
export function keepSubscribed(options: SubscriberOptions): Subscriber {
  const { client, channel, onMessage, onSubscribed, onRefused } = options;
  let current: Redis | undefined;
  let subscribed = false;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  function again(delay = retryDelay(failures++)): void {
    subscribed = false;
    current?.disconnect();
    current = undefined;
    clearTimeout(timer);
    if (!closed) timer = setTimeout(subscribe, delay).unref();
  }

  async function subscribe(): Promise<void> {
    const connection = openConnection(client);
    current = connection;
    if (!connection) return again();
    connection.on("error", () => {}); // "end" follows, and the store's own client says that Redis is away
    connection.once("end", () => {
      if (current === connection) again();
    });
    connection.on("message", (_channel: string, message: string) => onMessage(message));
    try {
      await connection.connect();
      await connection.subscribe(channel);
    } catch (error) {
      if (current !== connection) return;
      const refused = error instanceof Error && error.message.startsWith("NOPERM");
      if (refused) onRefused(new RedisFault(error));
      again(refused ? REFUSED_DELAY : undefined);
      return;
    }
    if (current !== connection) return;
    subscribed = true;
    failures = 0;
    onSubscribed();
  }

  void subscribe();
  return {
    isSubscribed: () => subscribed,
    renew: () => again(0),
    close() {
      closed = true;
      again();
    },
  };
}
