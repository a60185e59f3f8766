import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { endingWaits } from "../testing/blocked-waits.ts";
import { newSecret, opening } from "../testing/new-secret.ts";
import { connectPatiently, openRedisStore } from "../testing/open-redis-store.ts";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { startTcpProxy } from "../testing/tcp-proxy.ts";
import { until } from "../testing/until.ts";
import { recordKey } from "./redis-keys.ts";
import { StoreUnavailableError } from "./store.ts";

const unavailable = (error: unknown) => {
  assert(error instanceof StoreUnavailableError);
  return true;
};
const tooFew = (error: unknown) => {
  assert(error instanceof StoreUnavailableError);
  assert.match(String(error.cause), /Too few replicas/);
  return true;
};

async function startPair() {
  const master = await startRedis();
  const line = await startTcpProxy(master.port);
  const replica = await startRedis("--replicaof", "127.0.0.1", String(line.port));
  const admin = await master.client();
  await until(async () => {
    await admin.set("line", "there");
    return (await admin.wait(1, 100)) === 1;
  });
  return { master, line, replica, admin };
}
const stop = (...servers: readonly TestRedis[]) => Promise.all(servers.map((server) => server.stop()));

describe("A create that a failover divides", () => {
  it("is not confirmed when its share went to the old master and its record to the new one", async () => {
    const old = await startRedis();
    const { master, replica, line, admin } = await startPair();
    const client = await connectPatiently(old.port);
    // The connection stays where it is; those that wait for replicas go to the new master.
    client.options.port = master.port;
    const divided = await openRedisStore(old.port, { client, waitReplicas: 1, waitTimeout: 20_000 });
    const whole = await openRedisStore(master.port, { waitReplicas: 1, waitTimeout: 20_000 });
    const secret = newSecret();
    await assert.rejects(divided.create(secret), (error: unknown) => {
      assert(error instanceof StoreUnavailableError);
      assert.match(String(error.cause), /share is not there/);
      return true;
    });
    assert.equal(await admin.exists(recordKey(secret.id)), 0);
    const created = await whole.create(secret);
    assert(created.kind === "created" && !created.existed);
    assert.deepEqual(await whole.open(opening(secret)), {
      kind: "handed-over",
      share: secret.share,
      first: true,
    });
    await Promise.all([divided.close(), whole.close(), line.close()]);
    await stop(old, master, replica);
  });
});

describe("A keyring with a replica", () => {
  it("has every share of a confirmed create after its failover", async () => {
    const records = await startRedis();
    const { master, replica, line, admin } = await startPair();
    const store = await openRedisStore(records.port, {
      keyring: await connectPatiently(master.port),
      keyringWaitReplicas: 1,
      waitTimeout: 20_000,
    });
    const confirmed = [newSecret(), newSecret(), newSecret()];
    for (const secret of confirmed) await store.create(secret);
    line.cut();
    const before = (await admin.keys("*")).sort();
    const refused = newSecret();
    await endingWaits(admin, assert.rejects(store.create(refused), tooFew));
    assert.deepEqual((await admin.keys("*")).sort(), before);
    assert.equal(await store.read(refused.id), undefined);
    await master.kill();
    await (await replica.client()).replicaof("NO", "ONE");
    const promoted = await openRedisStore(records.port, { keyring: await connectPatiently(replica.port) });
    for (const secret of confirmed) {
      assert.equal((await promoted.open(opening(secret))).kind, "handed-over");
    }
    await Promise.all([store.close(), promoted.close(), line.close()]);
    await stop(records, master, replica);
  });

  it("removes a record whose share it has lost, when the create comes again", async () => {
    const [records, ring] = [await startRedis(), await startRedis()];
    const store = await openRedisStore(records.port, { keyring: await connectPatiently(ring.port) });
    const secret = newSecret();
    await store.create(secret);
    await (await ring.client()).flushall();
    await assert.rejects(store.create(secret), unavailable);
    assert.equal((await store.create(secret)).kind, "created");
    assert.equal((await store.open(opening(secret))).kind, "handed-over");
    await store.close();
    await stop(records, ring);
  });
});
