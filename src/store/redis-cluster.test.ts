import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Cluster } from "ioredis";
import { newSecret, opening, openingOnce, openingWrong, readWhole } from "../testing/new-secret.ts";
import { connectPatiently, TEST_LIMITS } from "../testing/open-redis-store.ts";
import { NO_FAILOVER, startCluster, type TestCluster } from "../testing/redis-cluster.ts";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { createRedisStore } from "./redis.ts";
import type { Store } from "./store.ts";

describe("A Redis Cluster of three nodes", () => {
  let started: TestCluster;
  let nodes: readonly TestRedis[] = [];
  let store: Store;
  let cluster: Cluster;

  before(async () => {
    started = await startCluster({ nodeTimeout: NO_FAILOVER });
    nodes = started.nodes;
    cluster = new Cluster(
      nodes.map(({ port }) => ({ host: "127.0.0.1", port })),
      { lazyConnect: true },
    );
    store = createRedisStore({ client: cluster, limits: TEST_LIMITS });
    await store.check();
  });
  after(async () => {
    await store.close();
    await started.stop();
  });

  it("takes every act of the store, wherever a secret lies", async () => {
    const secrets = Array.from({ length: 60 }, () => newSecret());
    await Promise.all(secrets.map((secret) => store.create(secret)));
    assert.equal(await store.countPending(), 60);
    const spread = await Promise.all(nodes.map(async (node) => (await node.client()).dbsize()));
    assert(spread.every((size) => size > 0));
    await Promise.all(
      secrets.map(async (secret, index) => {
        const request = opening(secret);
        assert.equal((await store.open(openingWrong(secret))).kind, "wrong-passphrase");
        assert.equal((await store.unlock(secret.id)).kind, "unlocked");
        if (index % 3 === 0) {
          assert.equal((await store.open(request)).kind, "handed-over");
          assert.deepEqual(await readWhole(store, secret), secret.blob);
          assert.equal((await store.acknowledge(secret.id, request.claim)).kind, "acknowledged");
        } else if (index % 3 === 1) {
          assert.equal((await store.open(openingOnce(secret))).kind, "handed-over");
        } else {
          assert.equal((await store.delete(secret.id)).kind, "deleted");
        }
        assert.equal((await store.read(secret.id))?.state, index % 3 === 2 ? "deleted" : "opened");
      }),
    );
    assert.equal(await store.countPending(), 0);
    assert.deepEqual(await store.collectExpired(), []);
  });

  it("keeps all keys of one secret in one slot", async () => {
    const secret = newSecret();
    await store.create(secret);
    const keys = (await Promise.all(nodes.map(async (node) => (await node.client()).keys("*")))).flat();
    const own = keys.filter((key) => key.includes(secret.id));
    assert.equal(own.length, 3);
    const slots = await Promise.all(own.map((key) => cluster.cluster("KEYSLOT", key)));
    assert.equal(new Set(slots).size, 1);
  });

  it("lets the keyring be another Redis", async () => {
    const ring = await startRedis();
    const client = new Cluster(
      nodes.map(({ port }) => ({ host: "127.0.0.1", port })),
      { lazyConnect: true },
    );
    const split = createRedisStore({
      client,
      keyring: await connectPatiently(ring.port),
      limits: TEST_LIMITS,
    });
    await split.check();
    const secret = newSecret();
    await split.create(secret);
    assert.equal((await split.open(opening(secret))).kind, "handed-over");
    await split.close();
    await ring.stop();
  });
});
