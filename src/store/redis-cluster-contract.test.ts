import { after } from "node:test";
import { advanceRedis } from "../testing/advance-redis.ts";
import { openClusterStore } from "../testing/cluster-store.ts";
import { startCluster } from "../testing/redis-cluster.ts";
import { storeContract } from "./contract.ts";
import type { Store } from "./store.ts";

const cluster = await startCluster();
after(() => cluster.stop());
const admins = await Promise.all(cluster.nodes.map((node) => node.client()));

storeContract("A Redis Cluster", async (limits) => {
  await Promise.all(admins.map((admin) => admin.flushall()));
  const stores: Store[] = [];
  async function another(): Promise<Store> {
    const store = await openClusterStore(cluster, { limits, waitReplicas: 0 });
    stores.push(store);
    return store;
  }
  return {
    store: await another(),
    another,
    async advance(seconds) {
      await Promise.all(admins.map((admin) => advanceRedis(admin, seconds)));
    },
    async close() {
      await Promise.all(stores.map((store) => store.close()));
    },
  };
});
