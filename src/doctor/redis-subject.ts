import type { Redis } from "ioredis";
import type { StoreBudget } from "../config/config.ts";
import type { Info } from "../store/redis-check.ts";

/** One Redis, connected. */
export interface RedisSubject {
  /** As sentences call it: "Redis" or "the keyring's Redis". */
  readonly role: string;
  readonly client: Redis;
  readonly info: Info;
  readonly budget: StoreBudget;
  /** The shares are here, so nothing may reach a disk. */
  readonly holdsShares: boolean;
  /** Undefined for the keyring, whose replicas nobody waits for. */
  readonly waitReplicas: number | undefined;
}
