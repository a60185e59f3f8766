import assert from "node:assert/strict";
import { after } from "node:test";
import { advanceRedis } from "../testing/advance-redis.ts";
import { connectToClusterPatiently } from "../testing/cluster-store.ts";
import { NO_FAILOVER, startCluster } from "../testing/redis-cluster.ts";
import { outboxContract } from "./contract-outbox.ts";
import { createRedisOutbox } from "./redis-outbox.ts";

const cluster = await startCluster({ replicas: 0, nodeTimeout: NO_FAILOVER });
after(() => cluster.stop());
const masters = await Promise.all(cluster.nodes.map((node) => node.client()));

outboxContract("An outbox in a Redis Cluster", async (limits) => {
  const clients = await Promise.all([1, 2].map(() => connectToClusterPatiently(cluster)));
  const [outbox, other] = clients.map((client) => createRedisOutbox({ client, limits }));
  assert(outbox && other);
  return {
    outbox,
    another: async () => other,
    async advance(seconds) {
      await Promise.all(masters.map((master) => advanceRedis(master, seconds)));
    },
    async close() {
      for (const client of clients) client.disconnect();
    },
  };
});
