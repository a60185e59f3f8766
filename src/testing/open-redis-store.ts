import type { Redis } from "ioredis";
import { parseRedisUrl } from "../config/redis-url.ts";
import { connectRedis, openRedis } from "../store/connect-redis.ts";
import { createRedisStore, type RedisStoreOptions } from "../store/redis.ts";
import type { Store } from "../store/store.ts";

export const TEST_LIMITS = { retention: 10_000, passphraseTries: 3, redeliveryWindow: 30, maxTtl: 5_000 };

/** A connection as the program makes it, with its own idea of how long Redis may take. */
export async function connectTo(port: number): Promise<Redis> {
  const client = connectRedis({ address: parseRedisUrl(`redis://127.0.0.1:${port}`) });
  await openRedis(client);
  return client;
}

/** A connection that gives a busy machine time, for tests that are not about outages. */
export async function connectPatiently(port: number): Promise<Redis> {
  const client = await connectTo(port);
  client.options.commandTimeout = 30_000;
  client.options.socketTimeout = 60_000;
  return client;
}

/** A store on the Redis at `port`. Close it yourself. */
export async function openRedisStore(port: number, options: Partial<RedisStoreOptions> = {}): Promise<Store> {
  const client = options.client ?? (await connectPatiently(port));
  return createRedisStore({ limits: TEST_LIMITS, ...options, client });
}
