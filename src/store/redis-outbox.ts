import type { Cluster, Redis } from "ioredis";
import { OUTBOX_LIMITS, type Outbox, type OutboxLimits } from "./outbox.ts";
import { packDelivery, unpackDelivery } from "./packed-delivery.ts";
import { ask } from "./redis-faults.ts";
import { DEAD_KEY, delayedKey, queueKey, seenKey } from "./redis-keys.ts";
import { text } from "./redis-replies.ts";
import { defineScripts, loadScripts } from "./redis-scripts.ts";

export interface RedisOutboxOptions {
  /** Shared with the store, which closes it. */
  readonly client: Redis | Cluster;
  readonly limits?: OutboxLimits;
}

/**
 * Streams with a consumer group, in the Redis that keeps the records. All keys have one hash tag, so
 * that each act is one script in a Cluster too.
 */
export function createRedisOutbox({ client, limits = OUTBOX_LIMITS }: RedisOutboxOptions): Outbox {
  defineScripts(client, loadScripts());
  const { maxQueued, maxDead, idle, remembered, kept } = limits;
  /** By destination: where the last look for what nobody settled has ended. */
  const cursors = new Map<string, string>();

  return {
    async add(deliveries) {
      const replies = await Promise.all(
        deliveries.map(async (delivery) => {
          const { key, to } = delivery;
          const packed = packDelivery(delivery, 1, Date.now());
          const [seen, queue, delayed] = [seenKey(key), queueKey(to), delayedKey(to)];
          const command = client.waxsealAddDeliveryBuffer(
            seen,
            queue,
            delayed,
            packed,
            maxQueued,
            remembered,
            kept,
          );
          return { delivery, kind: text((await ask(command))[0]) };
        }),
      );
      const having = (outcome: string) => replies.filter(({ kind }) => kind === outcome);
      return {
        added: having("added").length,
        refused: having("full").map(({ delivery }) => delivery),
      };
    },

    async take(to, count) {
      const cursor = cursors.get(to) ?? "0-0";
      const command = client.waxsealTakeDeliveriesBuffer(
        queueKey(to),
        delayedKey(to),
        count,
        idle,
        cursor,
        kept,
      );
      const [next, ...items] = (await ask(command)).map(text);
      cursors.set(to, next ?? "0-0");
      const pairs = Array.from({ length: items.length / 2 }, (_, at) => items.slice(2 * at, 2 * at + 2));
      return pairs.map(([entry = "", packed = ""]) => unpackDelivery(to, entry, packed));
    },

    async done({ to, entry }) {
      await ask(client.waxsealFinishDeliveryBuffer(queueKey(to), entry));
    },

    async later(taken, delay, attempt) {
      const { to, entry, since } = taken;
      const packed = packDelivery(taken, attempt, since);
      await ask(
        client.waxsealDelayDeliveryBuffer(queueKey(to), delayedKey(to), entry, packed, delay, delay + kept),
      );
    },

    async bury(taken, reason) {
      const { to, entry, attempt, since } = taken;
      const packed = packDelivery(taken, attempt, since);
      await ask(
        client.waxsealBuryDeliveryBuffer(queueKey(to), DEAD_KEY, entry, packed, reason, maxDead, kept),
      );
    },

    async stats(to) {
      const [queued, delayed, dead] = await Promise.all([
        ask(client.xlen(queueKey(to))),
        ask(client.zcard(delayedKey(to))),
        ask(client.xlen(DEAD_KEY)),
      ]);
      return { queued, delayed, dead };
    },
  };
}
