import type { Config, StoreBudget } from "../config/config.ts";
import type { RedisAddress } from "../config/redis-url.ts";
import { connectRedisOrCluster } from "../store/connect-redis.ts";
import { inspectRedis, type Waiting } from "../store/redis-check.ts";
import { RedisFault } from "../store/redis-faults.ts";
import { StorePreconditionError } from "../store/store.ts";
import { redisChecks } from "./checks.ts";
import { ok, problem } from "./finding.ts";
import { type Line, runChecks } from "./run-checks.ts";

function describeFailure(error: unknown, role: string): string {
  if (error instanceof StorePreconditionError) return error.message;
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof RedisFault ? ` (${cause.code})` : "";
  const setting = role === "Redis" ? "REDIS_URL" : "KEYRING_REDIS_URL";
  return `${role} does not answer${code}. Start it, or correct ${setting}.`;
}

interface Place {
  readonly role: string;
  readonly address: RedisAddress;
  readonly budget: StoreBudget;
  readonly holdsShares: boolean;
  readonly waiting: Waiting;
}

async function lookAt(place: Place, config: Config, deadline: number): Promise<Line[]> {
  const { role, address } = place;
  const { redisTls: tls, redisKeyPrefix: keyPrefix } = config;
  const client = connectRedisOrCluster({ address, tls, keyPrefix });
  try {
    const lines: Line[] = [];
    for (const inspected of await inspectRedis(client, role)) {
      const found = await runChecks(redisChecks, { ...place, ...inspected, keyPrefix }, deadline);
      lines.push(...found.map((line) => ({ ...line, name: `${inspected.role}: ${line.name}` })));
    }
    return lines;
  } catch (error) {
    return [{ name: role, ...problem(describeFailure(error, role)) }];
  } finally {
    client.disconnect();
  }
}

/** Everything about the store, which is one Redis, two, or none. */
export async function lookAtRedis(config: Config, deadline: number): Promise<Line[]> {
  const { redis, keyringRedis, redisWaitReplicas, keyringRedisWaitReplicas, storeBudget: budget } = config;
  if (redis === undefined) {
    return [{ name: "store", ...ok("REDIS_URL is not set here, so there is no Redis to look at") }];
  }
  const places: Place[] = [
    {
      role: "Redis",
      address: redis,
      budget,
      holdsShares: keyringRedis === undefined,
      waiting: { replicas: redisWaitReplicas, setting: "REDIS_WAIT_REPLICAS" },
    },
  ];
  if (keyringRedis !== undefined) {
    const role = "The keyring's Redis";
    const waiting = { replicas: keyringRedisWaitReplicas, setting: "KEYRING_REDIS_WAIT_REPLICAS" } as const;
    places.push({ role, address: keyringRedis, budget, holdsShares: true, waiting });
  }
  return (await Promise.all(places.map((place) => lookAt(place, config, deadline)))).flat();
}
