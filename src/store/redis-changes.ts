import { randomUUID } from "node:crypto";
import type { Cluster, Redis } from "ioredis";
import { parseId, type SecretId } from "../envelope/tokens.ts";
import type { Changes } from "./changes.ts";
import { RedisFault } from "./redis-faults.ts";
import { changesChannel } from "./redis-keys.ts";
import { keepSubscribed, type Subscriber } from "./redis-subscriber.ts";
import { createWatchers } from "./watchers.ts";

export interface RedisChangesOptions {
  /** The store's, which closes it. */
  readonly client: Redis | Cluster;
  /** Channels have no databases: two appliances on one Redis that differ in nothing else hear each other, which does no harm. */
  readonly keyPrefix?: string;
  /** Told once for each time that Redis begins to refuse, such as `NOPERM`. */
  readonly onRefused?: (fault: RedisFault) => void;
  /** Milliseconds between two looks whether what is published arrives. */
  readonly probeEvery?: number;
}

/** Hints that may be on their way to Redis; more are dropped. */
const MAX_IN_FLIGHT = 1_000;
const PROBE_EVERY = 10_000;
/** Milliseconds that what is published may take to arrive. */
const PROBE_PATIENCE = 3_000;

/**
 * Over Redis' publish and subscribe, on a connection of its own that is made when somebody first
 * watches. While that is not subscribed, hints go round within this process.
 */
export function createRedisChanges(options: RedisChangesOptions): Changes {
  const { client, keyPrefix = "", onRefused, probeEvery = PROBE_EVERY } = options;
  const channel = changesChannel(keyPrefix);
  const watchers = createWatchers();
  const self = randomUUID();
  let inFlight = 0;
  let refused = false;
  let subscriber: Subscriber | undefined;
  let probes: NodeJS.Timeout | undefined;
  let patience: NodeJS.Timeout | undefined;

  function sayRefused(fault: RedisFault): void {
    if (!refused) onRefused?.(fault);
    refused = true;
  }

  async function send(message: string): Promise<boolean> {
    if (client.status !== "ready" || inFlight >= MAX_IN_FLIGHT) return false;
    inFlight++;
    try {
      await client.publish(channel, message);
      return true;
    } catch (error) {
      // Redis is away, which the store says; who watches looks now and then.
      const fault = new RedisFault(error);
      if (fault.code === "NOPERM") sayRefused(fault);
      return false;
    } finally {
      inFlight--;
    }
  }

  /** A subscription may be to a server that nobody publishes to any more, and nothing would say so. */
  async function probe(): Promise<void> {
    if (watchers.size === 0 || !subscriber?.isSubscribed() || patience) return;
    const current = subscriber;
    patience = setTimeout(() => {
      patience = undefined;
      current.renew();
    }, PROBE_PATIENCE).unref();
    if (!(await send(self))) heard();
  }

  function heard(): void {
    clearTimeout(patience);
    patience = undefined;
  }

  function listen(): void {
    subscriber = keepSubscribed({
      client,
      channel,
      onMessage(message) {
        if (message === self) heard();
        const id = parseId(message);
        if (id !== undefined) watchers.tell(id);
      },
      onSubscribed() {
        refused = false;
        watchers.tellAll();
      },
      onRefused: sayRefused,
    });
    probes = setInterval(probe, probeEvery).unref();
  }

  return {
    publish(id: SecretId) {
      void send(id);
      if (!subscriber?.isSubscribed()) setImmediate(() => watchers.tell(id));
    },
    watch(id, onChange) {
      if (!subscriber) listen();
      return watchers.add(id, onChange);
    },
    async close() {
      clearInterval(probes);
      heard();
      subscriber?.close();
      watchers.clear();
    },
  };
}
