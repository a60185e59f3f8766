import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { Cluster, Redis } from "ioredis";
import {
  type ClusterNode,
  connectToCluster,
  connectToClusterPatiently,
  nodesOf,
  openClusterStore,
  secretOn,
} from "../testing/cluster-store.ts";
import { newSecret, opening } from "../testing/new-secret.ts";
import { patiently } from "../testing/patiently.ts";
import { NO_FAILOVER, startCluster, type TestCluster } from "../testing/redis-cluster.ts";
import { until } from "../testing/until.ts";
import { DUE_KEY, recordKey } from "./redis-keys.ts";
import { nodeNameFor, slotOf } from "./redis-nodes.ts";
import { type NewSecret, type Store, StoreFullError, StoreUnavailableError } from "./store.ts";

const unavailable = (error: unknown) => {
  assert(error instanceof StoreUnavailableError, String(error));
  return true;
};

/** Microseconds for each key that it loads from now on. */
const delayLoading = async ({ redis }: ClusterNode, microseconds: number) =>
  (await redis.client()).config("SET", "key-load-delay", microseconds);

describe("A node of a Cluster that can't do what is asked", () => {
  let cluster: TestCluster;
  let client: Cluster;
  /** Soon gives up: for what can't be done. */
  let store: Store;
  /** Waits as long as it takes on a busy machine, and a busy disk: for what can. */
  let patient: Store;
  let secret: NewSecret;
  let master: ClusterNode;
  let replica: ClusterNode;

  before(async () => {
    // No failover comes to the rescue, and what is loaded is loaded slowly: 10 ms for each key.
    const slow = ["--appendonly", "yes", "--appendfsync", "always", "--key-load-delay", "10000"];
    const alone = ["--cluster-replica-no-failover", "yes", "--cluster-require-full-coverage", "no"];
    cluster = await startCluster({
      replicas: 1,
      args: [...slow, ...alone, "--loading-process-events-interval-bytes", "1024"],
      nodeTimeout: NO_FAILOVER,
    });
    client = await connectToCluster(cluster);
    store = await openClusterStore(cluster, { waitTimeout: 500 });
    patient = await openClusterStore(cluster, {
      client: await connectToClusterPatiently(cluster),
      waitTimeout: 20_000,
    });
    do secret = newSecret();
    while (nodeNameFor(client, recordKey(secret.id)) === nodeNameFor(client, DUE_KEY));
    ({ master, replica } = await nodesOf(cluster, slotOf(recordKey(secret.id))));
    await patiently(() => patient.create(secret));
  });
  after(async () => {
    client?.disconnect();
    await Promise.all([store?.close(), patient?.close()]);
    await cluster?.stop();
  });

  const another = () => secretOn(client, master);

  it("is full, and says so; what it has can be opened", async () => {
    const opened = another();
    await patient.create(opened);
    await master.admin.config("SET", "maxmemory", "1");
    await assert.rejects(patient.create(another()), StoreFullError);
    assert.equal((await patient.open(opening(opened))).kind, "handed-over");
    await master.admin.config("SET", "maxmemory", "0");
    assert.equal((await patient.create(another())).kind, "created");
  });

  it("has no replica left, and hands nothing over", async () => {
    await replica.redis.kill();
    const request = opening(secret);
    await assert.rejects(store.open(request), unavailable);
    await assert.rejects(store.create(another()), unavailable);
    await replica.redis.restart();
    const admin = await replica.redis.client();
    await until(async () => (await admin.info("replication")).includes("master_link_status:up"));
    await until(() =>
      patient.open(request).then(
        (result) => result.kind === "handed-over",
        (error: unknown) => !unavailable(error),
      ),
    );
    assert.equal((await patiently(() => patient.open(opening(secret)))).kind, "ended");
  });

  it("is gone, then loads what it had, and does it afterwards", async () => {
    const later = another();
    await patient.create(later);
    const persistence = () => master.admin.info("persistence");
    for (const node of [master, replica]) await delayLoading(node, 0);
    // In one file that is read key by key, each of them long enough to be followed by a look at clients.
    for (let count = 0; count < 5_000; count++) {
      master.admin.set(`{${later.id}}:ballast:${count}`, randomBytes(1_100));
    }
    await until(async () => (await master.admin.wait(1, 100)) === 1);
    await master.admin.bgrewriteaof();
    await until(async () => /aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0/.test(await persistence()));
    assert.match(await persistence(), /aof_last_bgrewrite_status:ok/);
    await master.redis.kill();
    const request = opening(later);
    await assert.rejects(store.open(request), unavailable);
    await assert.rejects(store.create(another()), unavailable);
    await assert.rejects(store.read(later.id), unavailable);
    const impatient = { enableReadyCheck: false, maxRetriesPerRequest: 0, retryStrategy: null };
    const back = master.redis.restart();
    let admin: Redis | undefined;
    const isLoading = async () => /^loading:1/m.test((await admin?.info("persistence")) ?? "");
    try {
      await until(async () => {
        admin = await master.redis.client(impatient).catch(() => undefined);
        return isLoading().catch(() => false);
      });
      await assert.rejects(store.open(request), unavailable);
      await assert.rejects(store.read(later.id), unavailable);
      assert(await isLoading(), "it loads until the test lets it end");
    } finally {
      // Where that fails it loads to its end slowly, and what went wrong above is what is told.
      await admin?.config("SET", "key-load-delay", 0).catch(() => undefined);
      await back;
    }
    await until(() =>
      patient.open(request).then(
        (result) => result.kind === "handed-over",
        (error: unknown) => !unavailable(error),
      ),
    );
    assert.equal((await patiently(() => patient.open(opening(later)))).kind, "ended");
  });
});
