import { after } from "node:test";
import { parseRedisUrl } from "../config/redis-url.ts";
import { advanceRedis } from "../testing/advance-redis.ts";
import { startRedis } from "../testing/redis-server.ts";
import { connectRedis, openRedis } from "./connect-redis.ts";
import { storeContract } from "./contract.ts";
import { createRedisStore } from "./redis.ts";
import type { Store } from "./store.ts";

const server = await startRedis();
const keyring = await startRedis();
after(() => Promise.all([server.stop(), keyring.stop()]));
const [admin, keyringAdmin] = [await server.client(), await keyring.client()];

async function connect(url: string) {
  const client = connectRedis({ address: parseRedisUrl(url) });
  await openRedis(client);
  return client;
}

for (const separate of [false, true]) {
  storeContract(separate ? "Redis with a keyring of its own" : "Redis", async (limits) => {
    await Promise.all([admin.flushall(), keyringAdmin.flushall()]);
    const stores: Store[] = [];
    async function another(): Promise<Store> {
      const client = await connect(server.url);
      const store = createRedisStore({
        client,
        keyring: separate ? await connect(keyring.url) : undefined,
        limits,
      });
      stores.push(store);
      return store;
    }
    return {
      store: await another(),
      another,
      async advance(seconds) {
        await Promise.all([advanceRedis(admin, seconds), advanceRedis(keyringAdmin, seconds)]);
      },
      async close() {
        await Promise.all(stores.map((store) => store.close()));
      },
    };
  });
}
