import { after } from "node:test";
import { advanceRedis } from "../testing/advance-redis.ts";
import { startCluster } from "../testing/start-cluster.ts";
import { storeContract } from "./contract.ts";
import { createRedisStore } from "./redis.ts";
import type { Store } from "./store.ts";

const cluster = await startCluster();
after(() => cluster.stop());

storeContract("A Redis Cluster", async (limits) => {
  await Promise.all(cluster.admins.map((admin) => admin.flushall()));
  const stores: Store[] = [];
  async function another(): Promise<Store> {
    const store = createRedisStore({ client: cluster.connect(), limits });
    await store.check();
    stores.push(store);
    return store;
  }
  return {
    store: await another(),
    another,
    async advance(seconds) {
      await Promise.all(cluster.admins.map((admin) => advanceRedis(admin, seconds)));
    },
    async close() {
      await Promise.all(stores.map((store) => store.close()));
    },
  };
});
