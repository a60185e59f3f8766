import { parseRedisUrl } from "../config/redis-url.ts";
import { connectRedis, openRedis } from "../store/connect-redis.ts";
import { createRedisStore, type RedisStoreOptions } from "../store/redis.ts";
import type { Store } from "../store/store.ts";

export const TEST_LIMITS = { retention: 10_000, passphraseTries: 3, redeliveryWindow: 30, maxTtl: 5_000 };

export async function connectTo(port: number) {
  const client = connectRedis({ address: parseRedisUrl(`redis://127.0.0.1:${port}`) });
  await openRedis(client);
  return client;
}

/** A store on the Redis, or the proxy, at `port`. Close it yourself. */
export async function openRedisStore(
  port: number,
  options: Partial<Omit<RedisStoreOptions, "client">> = {},
): Promise<Store> {
  return createRedisStore({ client: await connectTo(port), limits: TEST_LIMITS, ...options });
}
