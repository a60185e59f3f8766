import { readFileSync } from "node:fs";
import { after } from "node:test";
import { parseRedisUrl } from "../config/redis-url.ts";
import { advanceRedis } from "../testing/advance-redis.ts";
import { startRedis } from "../testing/redis-server.ts";
import { connectRedis, openRedis } from "./connect-redis.ts";
import { storeContract } from "./contract.ts";
import { createRedisStore } from "./redis.ts";
import type { Store } from "./store.ts";

/** The user that the chart makes, word for word. */
const RULES = readFileSync(new URL("../../deploy/chart/files/redis/app.acl", import.meta.url), "utf8");

const server = await startRedis();
after(() => server.stop());
const admin = await server.client();
await admin.call("ACL", "SETUSER", "app", "on", ">word", ...RULES.trim().split(/\s+/));

storeContract("Redis, for a user that may do no more than it must,", async (limits) => {
  await admin.flushall();
  const stores: Store[] = [];
  async function another(): Promise<Store> {
    const client = connectRedis({ address: parseRedisUrl(`redis://app:word@127.0.0.1:${server.port}`) });
    await openRedis(client);
    client.options.commandTimeout = 30_000;
    client.options.socketTimeout = 60_000;
    const store = createRedisStore({ client, limits });
    stores.push(store);
    return store;
  }
  return {
    store: await another(),
    another,
    advance: (seconds) => advanceRedis(admin, seconds),
    async close() {
      await Promise.all(stores.map((store) => store.close()));
    },
  };
});
