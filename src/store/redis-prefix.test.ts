import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import type { Options } from "express-rate-limit";
import { parseRedisUrl } from "../config/redis-url.ts";
import { newSecret, opening, openingOnce, readWhole } from "../testing/new-secret.ts";
import { makePatient, TEST_LIMITS } from "../testing/open-redis-store.ts";
import { NO_FAILOVER, startCluster } from "../testing/redis-cluster.ts";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { connectRedisOrCluster } from "./connect-redis.ts";
import { createRedisStore } from "./redis.ts";
import { createLimitStore } from "./redis-limits.ts";

const cleanUps: (() => unknown)[] = [];
after(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

async function open(url: string, keyPrefix: string, waitReplicas = 0) {
  const client = makePatient(connectRedisOrCluster({ address: parseRedisUrl(url), keyPrefix }));
  const store = createRedisStore({ client, limits: TEST_LIMITS, waitReplicas });
  cleanUps.push(() => store.close());
  await store.check();
  const limit = createLimitStore({ client, name: "open", patience: 30_000 });
  limit.init?.({ windowMs: 60_000 } as Options);
  return { store, limit };
}

async function keysOf(nodes: readonly TestRedis[]): Promise<string[]> {
  const admins = await Promise.all(nodes.map((node) => node.client()));
  return (await Promise.all(admins.map((admin) => admin.keys("*")))).flat();
}

for (const kind of ["Redis", "Redis Cluster"] as const) {
  describe(`Two stores with different prefixes on one ${kind}`, () => {
    it("do not see each other, whatever they do", async () => {
      const { nodes, url } = await start(kind);
      const [one, other] = [await open(url, "one:"), await open(url, "other:")];
      const secret = newSecret();
      // The same id: what the one does to it must not reach the other's.
      for (const { store } of [one, other]) assert.equal((await store.create(secret)).kind, "created");
      const request = opening(secret);
      assert.equal((await one.store.open(request)).kind, "handed-over");
      assert.equal((await one.store.acknowledge(secret.id, request.claim)).kind, "acknowledged");
      assert.equal((await other.store.read(secret.id))?.state, "sealed");
      assert.deepEqual([await one.store.countPending(), await other.store.countPending()], [0, 1]);
      assert.deepEqual(await readWhole(other.store, secret), secret.blob);

      const deleted = newSecret();
      await one.store.create(deleted);
      assert.equal((await other.store.read(deleted.id))?.state, undefined);
      assert.equal((await other.store.delete(deleted.id)).kind, "missing");
      assert.equal((await one.store.delete(deleted.id)).kind, "deleted");
      assert.equal((await other.store.open(openingOnce(secret))).kind, "handed-over");

      for (const { limit } of [one, other]) {
        assert.equal((await limit.increment("192.0.2.1")).totalHits, 1);
        assert.equal((await limit.get?.("192.0.2.1"))?.totalHits, 1);
      }
      const keys = await keysOf(nodes);
      assert.ok(keys.length > 4);
      for (const key of keys) assert.match(key, /^(one|other):ws:/);
      assert.equal(keys.filter((key) => key.includes("ws:limit:")).length, 2);
      await one.limit.resetKey("192.0.2.1");
      assert.equal((await other.limit.get?.("192.0.2.1"))?.totalHits, 1);
    });
  });
}

async function start(kind: "Redis" | "Redis Cluster") {
  if (kind === "Redis") {
    const server = await startRedis();
    cleanUps.push(() => server.stop());
    return { nodes: [server], url: server.url };
  }
  const cluster = await startCluster({ nodeTimeout: NO_FAILOVER });
  cleanUps.push(() => cluster.stop());
  return { nodes: cluster.nodes, url: `redis+cluster://127.0.0.1:${cluster.ports[0]}` };
}
