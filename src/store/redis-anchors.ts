import type { Cluster, Redis } from "ioredis";
import { type Anchor, type Anchors, MAX_ANCHORS } from "./anchors.ts";
import { ask } from "./redis-faults.ts";
import { ANCHORED_KEY, ANCHORS_KEY } from "./redis-keys.ts";

const KEPT = /^(\d+) ([0-9a-f]{64}) (\d+)$/;

/** On a client that has the store's scripts; `list` needs none. */
export function createRedisAnchors(client: Redis | Cluster): Anchors {
  return {
    async keep({ chain, seq, hash }) {
      await ask(client.waxsealKeepAnchorBuffer(ANCHORS_KEY, ANCHORED_KEY, chain, seq, hash, MAX_ANCHORS));
    },
    async list() {
      const kept = await ask(client.hgetall(ANCHORS_KEY));
      return Object.entries(kept).flatMap(([chain, text]): Anchor[] => {
        const [, seq, hash = "", time] = KEPT.exec(text) ?? [];
        if (seq === undefined) return [];
        return [{ chain, seq: Number(seq), hash, at: new Date(Number(time)).toISOString() }];
      });
    },
  };
}
