import { after } from "node:test";
import { advanceRedis } from "../testing/advance-redis.ts";
import { connectToClusterPatiently, openClusterStore } from "../testing/cluster-store.ts";
import { NO_FAILOVER, startCluster } from "../testing/redis-cluster.ts";
import { storeContract } from "./contract.ts";
import type { Store } from "./store.ts";

/** Holds a Cluster of three masters, each with so many replicas that are all waited for, to the contract. */
export async function clusterContract(name: string, replicas: number): Promise<void> {
  const cluster = await startCluster({ replicas, nodeTimeout: NO_FAILOVER });
  after(() => cluster.stop());
  const masters = await Promise.all(cluster.nodes.slice(0, 3).map((node) => node.client()));

  storeContract(name, async (limits, followEnds) => {
    await Promise.all(masters.map((master) => master.flushall()));
    const stores: Store[] = [];
    async function another(): Promise<Store> {
      const store = await openClusterStore(cluster, {
        client: await connectToClusterPatiently(cluster),
        limits,
        followEnds,
        waitReplicas: replicas,
        waitTimeout: 20_000,
      });
      stores.push(store);
      return store;
    }
    return {
      store: await another(),
      another,
      async advance(seconds) {
        await Promise.all(masters.map((master) => advanceRedis(master, seconds)));
      },
      async close() {
        await Promise.all(stores.map((store) => store.close()));
      },
    };
  });
}
