import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import type { Redis } from "ioredis";
import { advanceRedis } from "../testing/advance-redis.ts";
import { connectToClusterPatiently, openClusterStore } from "../testing/cluster-store.ts";
import { newSecret, opening, openingOnce, openingWrong, seconds } from "../testing/new-secret.ts";
import { openRedisStore, TEST_LIMITS } from "../testing/open-redis-store.ts";
import { NO_FAILOVER, startCluster } from "../testing/redis-cluster.ts";
import { startRedis } from "../testing/redis-server.ts";
import { until } from "../testing/until.ts";
import { blobKey, DUE_KEY, recordKey } from "./redis-keys.ts";
import { nodeNameFor } from "./redis-nodes.ts";
import type { NewSecret, SecretRecord, Store } from "./store.ts";

const HOUR = 3_600;
const WINDOW = TEST_LIMITS.redeliveryWindow * 1_000;
const TTL = 1_000;

/**
 * A replica with another clock takes over. What it has in memory is what its master wrote, times
 * included; so another clock there is the same as all those times moved here. The program that would
 * show a process another clock, libfaketime, ends Debian's redis-server at its start.
 */
async function startPair() {
  const master = await startRedis();
  const replica = await startRedis("--replicaof", "127.0.0.1", String(master.port));
  const [admin, masterAdmin] = [await replica.client(), await master.client()];
  const store = await openRedisStore(master.port, { waitReplicas: 1, waitTimeout: 20_000 });
  const stores: Store[] = [store];
  return {
    store,
    admin,
    /** `ahead`: seconds by which the new clock is later than the old one. */
    async failOver(ahead: number): Promise<Store> {
      await masterAdmin.set("last", "write");
      await until(async () => (await masterAdmin.wait(1, 100)) === 1);
      await master.kill();
      await admin.replicaof("NO", "ONE");
      await advanceRedis(admin, ahead);
      const promoted = await openRedisStore(replica.port);
      stores.push(promoted);
      return promoted;
    },
    async close() {
      await Promise.all(stores.map((one) => one.close()));
      await Promise.all([master.stop(), replica.stop()]);
    },
  };
}

let pair: Awaited<ReturnType<typeof startPair>>;

/** In order, and not before the beginning. */
function assertSensible(record: SecretRecord | undefined): void {
  assert(record);
  const times = record.events.map(({ at }) => at);
  assert.deepEqual(
    times,
    [...times].sort((a, b) => a - b),
    "in order",
  );
  assert(record.expiresAt > record.createdAt);
  if (record.endedAt !== undefined) {
    assert(record.endedAt >= record.createdAt);
    assert.equal(record.endedAt, record.events.findLast(({ kind }) => kind === record.state)?.at);
  }
}
const keysOf = async (admin: Redis, { id }: NewSecret) => admin.keys(`ws:{${id}}:*`);
async function leftOf(admin: Redis, secret: NewSecret): Promise<number[]> {
  const keys = (await keysOf(admin, secret)).filter((key) => key !== recordKey(secret.id));
  return Promise.all(keys.map((key) => admin.pttl(key)));
}

describe("A failover to a clock that is an hour behind", () => {
  afterEach(() => pair.close());

  it("keeps every event after the one before it, whatever is done there", async () => {
    pair = await startPair();
    const { store, failOver } = pair;
    const secrets = Array.from({ length: 6 }, () => newSecret({ ttl: seconds(TTL), passphrase: true }));
    const [opened, received, deleted, unlocked, lost, withdrawn] = secrets;
    assert(opened && received && deleted && unlocked && lost && withdrawn);
    for (const secret of secrets) {
      await store.create(secret);
      await store.open(openingWrong(secret));
    }
    const claim = opening(received);
    await store.open(claim);
    const promoted = await failOver(-HOUR);
    assert.equal((await promoted.open(opening(opened))).kind, "handed-over");
    assert.equal((await promoted.acknowledge(received.id, claim.claim)).kind, "acknowledged");
    assert.equal((await promoted.delete(deleted.id)).kind, "deleted");
    for (let tries = 0; tries < 2; tries++) await promoted.open(openingWrong(unlocked));
    assert.equal((await promoted.unlock(unlocked.id)).kind, "unlocked");
    await pair.admin.del(blobKey(lost.id));
    assert.equal((await promoted.read(lost.id))?.state, "lost");
    assert.equal((await promoted.open(openingOnce(withdrawn))).kind, "handed-over");
    for (const { id } of secrets) assertSensible(await promoted.read(id));
  });

  it("lets the same claim come again for no longer than the window, by whatever little it is behind", async () => {
    pair = await startPair();
    const secret = newSecret({ ttl: seconds(TTL) });
    await pair.store.create(secret);
    const request = opening(secret);
    await pair.store.open(request);
    const promoted = await pair.failOver(-TEST_LIMITS.redeliveryWindow / 2);
    assert.equal((await promoted.open(request)).kind, "handed-over");
    const left = await leftOf(pair.admin, secret);
    assert.equal(left.length, 2);
    assert(
      left.some((time) => time <= WINDOW),
      "the share's time is cut",
    );
    await advanceRedis(pair.admin, TEST_LIMITS.redeliveryWindow);
    assert.equal((await promoted.open(request)).kind, "ended");
    assertSensible(await promoted.read(secret.id));
  });

  it("ends a window that it can't measure, for good", async () => {
    pair = await startPair();
    const secret = newSecret({ ttl: seconds(TTL) });
    await pair.store.create(secret);
    const request = opening(secret);
    await pair.store.open(request);
    const promoted = await pair.failOver(-HOUR);
    for (const claim of [request, opening(secret), request]) {
      const result = await promoted.open(claim);
      assert(result.kind === "ended");
      assert.equal(result.state, "opened");
    }
    // When its clock comes to where the other one was.
    await advanceRedis(pair.admin, HOUR);
    assert.equal((await promoted.open(request)).kind, "ended");
  });

  it("gives nothing again after an acknowledgement, should the share have come back", async () => {
    pair = await startPair();
    const secret = newSecret({ ttl: seconds(TTL) });
    await pair.store.create(secret);
    const request = opening(secret);
    await pair.store.open(request);
    const [share = ""] = (await keysOf(pair.admin, secret)).filter((key) => key.includes(":share:"));
    await pair.store.acknowledge(secret.id, request.claim);
    const promoted = await pair.failOver(-TEST_LIMITS.redeliveryWindow / 2);
    await pair.admin.set(share, Buffer.from(secret.share), "PX", 60_000);
    assert.equal((await promoted.open(request)).kind, "ended");
  });

  it("keeps a secret for what was asked and the hour, and not for ever", async () => {
    pair = await startPair();
    const [touched, untouched] = [newSecret({ ttl: seconds(TTL) }), newSecret({ ttl: seconds(TTL) })];
    for (const secret of [touched, untouched]) await pair.store.create(secret);
    const promoted = await pair.failOver(-HOUR);
    await promoted.open(openingWrong(touched));
    for (const secret of [touched, untouched]) {
      for (const key of await keysOf(pair.admin, secret)) {
        const left = await pair.admin.pttl(key);
        const most = (TTL + HOUR + (key.endsWith(":record") ? TEST_LIMITS.retention : 0)) * 1_000;
        assert(left > 0 && left <= most, `${key} ${left}`);
      }
    }
    await advanceRedis(pair.admin, HOUR + TTL + 1);
    for (const secret of [touched, untouched]) {
      assert.equal((await promoted.open(opening(secret))).kind, "ended");
      assertSensible(await promoted.read(secret.id));
    }
    assert.deepEqual(new Set(await promoted.collectExpired()), new Set([touched.id, untouched.id]));
  });
});

describe("A failover to a clock that is an hour ahead", () => {
  afterEach(() => pair.close());

  it("ends what ran out by it, and counts on by it for all else", async () => {
    pair = await startPair();
    const [short, long, opened] = [
      newSecret({ ttl: seconds(TTL) }),
      newSecret({ ttl: seconds(5_000) }),
      newSecret({ ttl: seconds(5_000) }),
    ];
    for (const secret of [short, long, opened]) await pair.store.create(secret);
    const request = opening(opened);
    await pair.store.open(request);
    const promoted = await pair.failOver(HOUR);
    const result = await promoted.open(opening(short));
    assert(result.kind === "ended");
    assert.equal(result.state, "expired");
    assert.equal(await promoted.readBlob(short.id, 0, short.size), undefined);
    assert.deepEqual(await promoted.collectExpired(), [short.id]);
    assert.equal((await promoted.open(request)).kind, "ended", "its window is over");
    assert.equal((await promoted.open(opening(long))).kind, "handed-over");
    for (const { id } of [short, long, opened]) assertSensible(await promoted.read(id));
  });
});

describe("Nodes of a Cluster with clocks of their own", () => {
  it("don't keep the sweep from what has run out, nor let it look for ever at what has not", async () => {
    const cluster = await startCluster({ nodeTimeout: NO_FAILOVER });
    const client = await connectToClusterPatiently(cluster);
    const store = await openClusterStore(cluster, { client, waitReplicas: 0 });
    const dueNode = nodeNameFor(client, DUE_KEY);
    const isThere = ({ id }: NewSecret) => nodeNameFor(client, recordKey(id)) === dueNode;
    const secrets = Array.from({ length: 400 }, () => newSecret({ ttl: seconds(TTL) }));
    const elsewhere = secrets.filter((secret) => !isThere(secret)).slice(0, 150);
    const [here] = secrets.filter(isThere);
    assert(here && elsewhere.length === 150);
    for (const secret of elsewhere) await store.create(secret);
    await store.create(here);
    // The index's node is an hour ahead of the others: it calls due what they say is not.
    const node = cluster.nodes.find(({ port }) => dueNode.endsWith(`:${port}`));
    assert(node);
    const admin = await node.client();
    await advanceRedis(admin, HOUR);
    assert.deepEqual(await store.collectExpired(), [here.id]);
    const [now] = await admin.time();
    assert.equal(await admin.zcount(DUE_KEY, "-inf", (Number(now) + TTL / 2) * 1_000), 0);
    assert.equal(await store.countPending(), 150);
    await store.close();
    await cluster.stop();
  });
});
