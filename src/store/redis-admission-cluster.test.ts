import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Cluster } from "ioredis";
import { newSecret, opening } from "../testing/new-secret.ts";
import { TEST_LIMITS } from "../testing/open-redis-store.ts";
import { NO_FAILOVER, startCluster, type TestCluster } from "../testing/redis-cluster.ts";
import { until } from "../testing/until.ts";
import { createRedisStore } from "./redis.ts";
import { createAdmission } from "./redis-admission.ts";
import { DUE_KEY, recordKey } from "./redis-keys.ts";
import { mastersOf, nodeNameFor } from "./redis-nodes.ts";
import { type NewSecret, type Store, StoreFullError } from "./store.ts";

describe("A Redis Cluster with one full node", () => {
  let cluster: TestCluster;
  let client: Cluster;
  let store: Store;

  before(async () => {
    cluster = await startCluster({ args: ["--maxmemory", "64mb"], nodeTimeout: NO_FAILOVER });
    client = new Cluster(
      cluster.ports.map((port) => ({ host: "127.0.0.1", port })),
      { lazyConnect: true, redisOptions: { keyPrefix: "a-prefix:" } },
    );
    store = createRedisStore({ client, limits: TEST_LIMITS, budget: { kind: "share", share: 0.8 } });
    await store.check();
  });
  after(async () => {
    await store?.close();
    await cluster?.stop();
  });

  const nodeOf = ({ id }: NewSecret) => nodeNameFor(client, recordKey(id));
  function secretOn(node: string): NewSecret {
    for (;;) {
      const secret = newSecret();
      if (nodeOf(secret) === node) return secret;
    }
  }
  async function limit(node: string, maxmemory: string): Promise<void> {
    const full = cluster.nodes.find(({ port }) => node.endsWith(`:${port}`));
    assert(full);
    const admin = await full.client();
    await admin.config("SET", "maxmemory", maxmemory);
  }
  const isRefused = (secret: NewSecret) =>
    store.create(secret).then(
      () => false,
      (error: unknown) => {
        assert(error instanceof StoreFullError);
        return true;
      },
    );

  it("refuses what would lie there, takes what lies elsewhere, and opens what it has", async () => {
    const due = nodeNameFor(client, DUE_KEY);
    const [full, other] = (await store.memory()).map(({ node }) => node).filter((node) => node !== due);
    assert(full !== undefined && other !== undefined);
    const kept = secretOn(full);
    await store.create(kept);
    await limit(full, "1mb");
    await until(() => isRefused(secretOn(full)));
    assert.equal(await isRefused(secretOn(other)), false);
    assert.equal((await store.open(opening(kept))).kind, "handed-over");
    const rooms = new Map((await store.memory()).map(({ node, used, budget = 0 }) => [node, budget - used]));
    assert.equal(rooms.size, 3);
    for (const [node, room] of rooms) assert.equal(room < 0, node === full, node);
    await limit(full, "64mb");
    await until(async () => !(await isRefused(secretOn(full))));
  });

  it("forgets what it reckoned with on a node that has left", async () => {
    const admission = createAdmission({ client, keyring: undefined, budget: { kind: "share", share: 0.8 } });
    const { id } = secretOn(nodeNameFor(client, DUE_KEY));
    const admit = () => admission.admit(id, 30 * 2 ** 20);
    await admit();
    await assert.rejects(admit(), StoreFullError);
    client.emit("-node", mastersOf(client).get(nodeNameFor(client, DUE_KEY)));
    (await admit()).release();
  });

  it("refuses everything where the index of all secrets has no room, with nothing kept", async () => {
    const due = nodeNameFor(client, DUE_KEY);
    const other = (await store.memory()).map(({ node }) => node).find((node) => node !== due);
    assert(other !== undefined);
    await limit(due, "1mb");
    await until(() => isRefused(secretOn(other)));
    const refused = secretOn(other);
    assert.equal(await isRefused(refused), true);
    assert.equal(await store.read(refused.id), undefined);
  });
});
