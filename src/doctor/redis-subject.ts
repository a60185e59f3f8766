import type { StoreBudget } from "../config/config.ts";
import type { Inspected, Waiting } from "../store/redis-check.ts";

/** One Redis, or one master of a Cluster, connected. */
export interface RedisSubject extends Inspected {
  readonly keyPrefix: string;
  readonly budget: StoreBudget;
  /** The shares are here, so nothing may reach a disk. */
  readonly holdsShares: boolean;
  readonly waiting: Waiting;
}
