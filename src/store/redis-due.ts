import type { Cluster, Redis } from "ioredis";
import type { SecretId } from "../envelope/tokens.ts";
import { LOOK_SOON } from "./looks.ts";
import { DUE_KEY } from "./redis-keys.ts";

/** How acts keep the due index. It is in a slot of its own, so that none of it is one act with theirs. */
export interface DueIndex {
  /**
   * For the beginning of an act that may have to be told of: whatever becomes of this process, somebody
   * looks soon. The act does not wait for it, and does not fail with it.
   */
  hasten(id: SecretId): void;
  /** It has ended: nobody need look any more, unless that is to be told. */
  leave(id: SecretId): Promise<void>;
  /** It is sealed again, for so many milliseconds, and may have left. */
  comeBack(id: SecretId, left: number): void;
}

export function createDueIndex(client: Redis | Cluster, followEnds: boolean): DueIndex {
  const schedule = (id: SecretId, left: number, when: "NX" | "SOONER") =>
    void client.waxsealScheduleExpiryBuffer(DUE_KEY, id, left, when).catch(() => undefined);

  return {
    hasten(id) {
      if (followEnds) schedule(id, LOOK_SOON, "SOONER");
    },
    async leave(id) {
      if (!followEnds) await client.zrem(DUE_KEY, id);
    },
    comeBack(id, left) {
      if (followEnds) schedule(id, left, "NX");
    },
  };
}
