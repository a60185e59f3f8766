import { createHash } from "node:crypto";
import { type Store as LimitStore, MemoryStore, type Options } from "express-rate-limit";
import { Cluster, type Redis } from "ioredis";
import { type RedisReply, RedisStore } from "rate-limit-redis";
import { within } from "./within.ts";

export interface LimitStoreOptions {
  /** Shared with the store, which closes it. */
  readonly client: Redis | Cluster;
  /** One for each limiter: limiters of one name share their counters across replicas. */
  readonly name: string;
  /** Milliseconds that a request waits for a counter. */
  readonly patience?: number;
}

/** A request has other things to ask Redis, and two seconds in all. */
const PATIENCE = 200;
/** Milliseconds in which a Redis that has just failed isn't asked again, by no limiter. */
const REST = 1_000;
const restUntil = new WeakMap<Redis | Cluster, number>();

const tooLong = new Error("The counter took too long.");

/** A script belongs to no key: in a Cluster every node that may be asked for it is given it. */
async function send(client: Redis | Cluster, command: string, args: string[]): Promise<unknown> {
  if (!(client instanceof Cluster) || command !== "SCRIPT") return client.call(command, ...args);
  const replies = await Promise.all(client.nodes("master").map((node) => node.call(command, ...args)));
  return replies[0];
}

/**
 * Counters in Redis, so that a limit holds across replicas, or in this process while Redis is away:
 * then each replica counts for itself from nothing, which is a weaker limit and not an outage. It
 * never fails, and goes back to Redis by itself.
 *
 * Addresses are hashed, which keeps them out of sight; it doesn't keep them from somebody with a copy
 * of Redis who tries out all addresses. They are gone with the limit's window.
 */
export function createLimitStore({ client, name, patience = PATIENCE }: LimitStoreOptions): LimitStore {
  const prefix = `ws:limit:${name}:`;
  const local = new MemoryStore();
  const shared = new RedisStore({
    prefix,
    sendCommand: (command, ...args) => send(client, command, args) as Promise<RedisReply>,
  });
  let options: Options | undefined;
  let prepared: Promise<void> | undefined;

  const hashed = (key: string) =>
    createHash("sha256").update(`${name}\0${key}`).digest("base64url").slice(0, 22);

  async function withRedis<T>(act: () => Promise<T>, otherwise: () => Promise<T>): Promise<T> {
    if (!options || client.status !== "ready" || Date.now() < (restUntil.get(client) ?? 0))
      return otherwise();
    // Loads the scripts. Done again after a failure, for it remembers a failure for ever.
    prepared ??= shared.init(options);
    try {
      return await within(patience, prepared.then(act), () => tooLong);
    } catch (error) {
      // Loading that takes long goes on, and is over for a request after this one.
      if (error !== tooLong) prepared = undefined;
      restUntil.set(client, Date.now() + REST);
      return otherwise();
    }
  }

  return {
    prefix,
    localKeys: false,
    init(given) {
      options = given;
      local.init(given);
    },
    increment: (key) =>
      withRedis(
        () => shared.increment(hashed(key)),
        () => local.increment(key),
      ),
    decrement: (key) =>
      withRedis(
        () => shared.decrement(hashed(key)),
        () => local.decrement(key),
      ),
    async resetKey(key) {
      await local.resetKey(key);
      await withRedis(
        () => shared.resetKey(hashed(key)),
        async () => {},
      );
    },
    get: (key) =>
      withRedis(
        async () => {
          const info = await shared.get(hashed(key));
          // ioredis says null where there is no counter, and rate-limit-redis makes NaN of that.
          return info && Number.isInteger(info.totalHits) ? info : undefined;
        },
        () => local.get(key),
      ),
    shutdown: () => local.shutdown(),
  };
}
