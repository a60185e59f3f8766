import { ConfigError } from "../config/config-error.ts";
import type { Environment, ReadFile } from "../config/environment.ts";
import { parseConfig } from "../config/parse-config.ts";
import type { Anchor } from "../store/anchors.ts";
import { connectRedisOrCluster, openRedis } from "../store/connect-redis.ts";
import { createRedisAnchors } from "../store/redis-anchors.ts";
import { StorePreconditionError, StoreUnavailableError } from "../store/store.ts";
import { CannotCheckError } from "./check-log.ts";

/** What the Redis of this configuration knows of chains. Throws CannotCheckError. */
export async function readAnchors(env: Environment, readFile: ReadFile): Promise<readonly Anchor[]> {
  try {
    const { redis, redisTls, redisKeyPrefix } = parseConfig(env, readFile);
    if (redis === undefined)
      throw new CannotCheckError(
        "Anchors are in Redis, and REDIS_URL is not set here. Set it, or leave --anchors out.",
      );
    const client = connectRedisOrCluster({ address: redis, tls: redisTls, keyPrefix: redisKeyPrefix });
    try {
      await openRedis(client);
      return await createRedisAnchors(client).list();
    } finally {
      client.disconnect();
    }
  } catch (error) {
    if (error instanceof ConfigError || error instanceof StorePreconditionError)
      throw new CannotCheckError(error.message);
    if (error instanceof StoreUnavailableError)
      throw new CannotCheckError(
        "Redis does not answer, so there are no anchors. Start it, or correct REDIS_URL.",
      );
    throw error;
  }
}
