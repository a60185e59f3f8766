import { Cluster, type Redis } from "ioredis";
import { parseRedisUrl } from "../config/redis-url.ts";
import { connectRedis, openRedis } from "../store/connect-redis.ts";
import { createRedisStore, type RedisStoreOptions } from "../store/redis.ts";
import type { Store } from "../store/store.ts";
import { patiently } from "./patiently.ts";
import { until } from "./until.ts";

export const TEST_LIMITS = { retention: 10_000, passphraseTries: 3, redeliveryWindow: 30, maxTtl: 5_000 };

const connectionTo = (port: number) => connectRedis({ address: parseRedisUrl(`redis://127.0.0.1:${port}`) });

/** Waits until it is connected, and a Cluster's masters with it, though a busy machine lets tries fail before. */
export async function opened<Client extends Redis | Cluster>(client: Client): Promise<Client> {
  await patiently(() => openRedis(client));
  if (client instanceof Cluster) {
    await until(() => client.nodes("master").every(({ status }) => status === "ready"));
  }
  return client;
}

/** A connection as the program makes it, with its own idea of how long Redis may take. */
export function connectTo(port: number): Promise<Redis> {
  return opened(connectionTo(port));
}

/** Gives a busy machine time, for tests that are not about outages: before it connects, which takes time too. */
export function makePatient<Client extends Redis | Cluster>(client: Client): Client {
  const patience = { commandTimeout: 30_000, socketTimeout: 60_000, connectTimeout: 30_000 };
  if (client instanceof Cluster) {
    client.options.slotsRefreshTimeout = patience.commandTimeout;
    client.on("+node", (node: Redis) => Object.assign(node.options, patience));
  } else Object.assign(client.options, patience);
  return client;
}

/** A connection that does so. */
export function connectPatiently(port: number): Promise<Redis> {
  return opened(makePatient(connectionTo(port)));
}

/** A store on the Redis at `port`. Close it yourself. */
export async function openRedisStore(port: number, options: Partial<RedisStoreOptions> = {}): Promise<Store> {
  const client = options.client ?? (await connectPatiently(port));
  return createRedisStore({ limits: TEST_LIMITS, ...options, client });
}
