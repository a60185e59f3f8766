import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import type { Redis } from "ioredis";
import type { SecretId } from "../envelope/tokens.ts";
import { advanceRedis } from "../testing/advance-redis.ts";
import { endingWaits } from "../testing/blocked-waits.ts";
import { newSecret, opening, openingWrong } from "../testing/new-secret.ts";
import { connectPatiently, openRedisStore, TEST_LIMITS } from "../testing/open-redis-store.ts";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { startTcpProxy } from "../testing/tcp-proxy.ts";
import { until } from "../testing/until.ts";
import { LOOK_LEASE, LOOK_SOON } from "./looks.ts";
import type { RedisStoreOptions } from "./redis.ts";
import { DUE_KEY, recordKey } from "./redis-keys.ts";
import { type NewSecret, type Store, StoreUnavailableError } from "./store.ts";

let server: TestRedis;
let admin: Redis;
const cleanUps: (() => unknown)[] = [];

before(async () => {
  server = await startRedis();
  admin = await server.client();
});
beforeEach(async () => {
  await admin.config("SET", "maxmemory", "0");
  await admin.flushall();
});
// A store that stays open may still withdraw something while another test counts.
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});
after(() => server.stop());

async function open(options: Partial<RedisStoreOptions> = {}, port = server.port): Promise<Store> {
  const store = await openRedisStore(port, { followEnds: true, ...options });
  cleanUps.push(() => store.close());
  return store;
}

async function sweep(store: Store): Promise<SecretId[]> {
  const ids: SecretId[] = [];
  await store.collectExpired(async (id) => {
    ids.push(id);
  });
  return ids;
}

const tooFew = (error: unknown) => {
  assert(error instanceof StoreUnavailableError);
  assert.match(String(error.cause), /Too few replicas/);
  return true;
};
const told = () => newSecret({ sender: "somebody" });
const soon = () => advanceRedis(admin, LOOK_SOON / 1000);

/** A process that does something, and is gone before it could tell anybody of it. */
async function actAndDie(act: (store: Store) => Promise<unknown>): Promise<void> {
  const client = await connectPatiently(server.port);
  await act(await openRedisStore(server.port, { client, followEnds: true }));
  client.disconnect();
}

describe("An act whose process dies before it has told of it", () => {
  const acts: Record<string, (store: Store, secret: NewSecret) => Promise<unknown>> = {
    open: (store, secret) => store.open(opening(secret)),
    delete: (store, secret) => store.delete(secret.id),
    lock: async (store, secret) => {
      for (let i = 0; i < TEST_LIMITS.passphraseTries; i++) await store.open(openingWrong(secret));
    },
    refusal: (store, secret) => store.note(secret.id, "refused-network", 0),
  };
  for (const [name, act] of Object.entries(acts)) {
    it(`is told by another process's sweep: ${name}`, async () => {
      const survivor = await open();
      const secret = told();
      await survivor.create(secret);
      await actAndDie((store) => act(store, secret));
      await soon();
      assert.deepEqual(await sweep(survivor), [secret.id]);
    });
  }

  it("is told by the next sweep where the process dies between the look and its end", async () => {
    const survivor = await open();
    const secret = told();
    await survivor.create(secret);
    await actAndDie((store) => store.delete(secret.id));
    await soon();
    const dying = await connectPatiently(server.port);
    const half = await openRedisStore(server.port, { client: dying, followEnds: true });
    const sweeping = half.collectExpired(async () => dying.disconnect());
    await assert.rejects(sweeping, StoreUnavailableError);
    assert.deepEqual(await sweep(survivor), []);
    assert.equal((await survivor.read(secret.id))?.sender, "somebody");
    await advanceRedis(admin, LOOK_LEASE / 1000);
    assert.deepEqual(await sweep(survivor), [secret.id]);
    assert.equal((await survivor.read(secret.id))?.sender, undefined);
    assert.deepEqual(await admin.zrange(DUE_KEY, "0", "-1"), []);
  });
});

describe("A claim that is withdrawn", () => {
  it("is told nobody of, and the secret is sealed and expires as if nothing had happened", async () => {
    const store = await open();
    // No replica will ever confirm: the claim is decided, and then taken back.
    const waiting = await open({ waitReplicas: 9, waitTimeout: 20_000 });
    const secret = told();
    await store.create(secret);
    await endingWaits(admin, assert.rejects(waiting.open(opening(secret)), tooFew));
    assert.equal((await store.read(secret.id))?.state, "opened");
    await soon();
    assert.deepEqual(await sweep(store), []);
    await advanceRedis(admin, TEST_LIMITS.redeliveryWindow);
    assert.deepEqual(await sweep(store), [secret.id]);
    const record = await store.read(secret.id);
    assert.equal(record?.state, "sealed");
    assert.equal(record?.sender, "somebody");
    assert.deepEqual(
      record?.events.map(({ kind }) => kind),
      ["sealed"],
    );
    await advanceRedis(admin, secret.ttl);
    assert.deepEqual(await store.collectExpired(), [secret.id]);
    assert.equal((await store.read(secret.id))?.state, "expired");
  });

  it("is found expired where its time ran out before anybody asked again", async () => {
    for (const followEnds of [true, false]) {
      const store = await open({ followEnds });
      const client = await connectPatiently(server.port);
      const waiting = await openRedisStore(server.port, {
        client,
        followEnds,
        waitReplicas: 9,
        waitTimeout: 20_000,
      });
      const secret = told();
      await store.create(secret);
      await endingWaits(admin, assert.rejects(waiting.open(opening(secret)), tooFew));
      await waiting.close();
      await advanceRedis(admin, secret.ttl + 1);
      assert.deepEqual(await store.collectExpired(), [secret.id]);
      const record = await store.read(secret.id);
      assert.equal(record?.state, "expired");
      assert.deepEqual(
        record?.events.map(({ kind }) => kind),
        ["sealed", "expired"],
      );
    }
  });

  it("comes back to the index where its process was cut off until the open counted as certain", async () => {
    const line = await startTcpProxy(server.port);
    cleanUps.push(() => line.close());
    const cutOff = await open({}, line.port);
    const store = await open();
    const secret = told();
    await store.create(secret);
    line.swallowAnswerLike((answer) => answer.includes("won"));
    await assert.rejects(cutOff.open(opening(secret)), StoreUnavailableError);
    await soon();
    assert.deepEqual(await sweep(store), [secret.id]);
    assert.equal((await store.read(secret.id))?.sender, "somebody");
    await advanceRedis(admin, TEST_LIMITS.redeliveryWindow + 100);
    assert.deepEqual(await sweep(store), [secret.id]);
    assert.deepEqual(await admin.zrange(DUE_KEY, "0", "-1"), []);
    line.mend();
    await until(async () => (await store.read(secret.id))?.state === "sealed");
    await until(async () => (await admin.zcard(DUE_KEY)) === 1);
    await advanceRedis(admin, secret.ttl);
    assert.deepEqual(await store.collectExpired(), [secret.id]);
  });
});

describe("A full Redis", () => {
  it("still takes notes, brings looks forward and follows ends", async () => {
    const store = await open();
    const [deleted, refused] = [told(), told()];
    for (const secret of [deleted, refused]) await store.create(secret);
    await admin.config("SET", "maxmemory", "1");
    assert.deepEqual(await store.note(refused.id, "visited", 0), { kind: "noted" });
    assert.deepEqual(await store.note(refused.id, "refused-hours", 0), { kind: "noted" });
    await store.delete(deleted.id);
    await admin.config("SET", "maxmemory", "0");
    await soon();
    await admin.config("SET", "maxmemory", "1");
    assert.deepEqual((await sweep(store)).sort(), [deleted.id, refused.id].sort());
    assert.equal((await store.read(deleted.id))?.sender, undefined);
    assert.deepEqual(await sweep(store), []);
    await admin.config("SET", "maxmemory", "0");
    await advanceRedis(admin, LOOK_LEASE / 1000);
    await admin.config("SET", "maxmemory", "1");
    assert.deepEqual(await sweep(store), [], "the one that lives went back to its own time");
  });
});

describe("Acts where ends are not followed", () => {
  it("ask Redis for no more than they did", async () => {
    const counts: number[] = [];
    for (const followEnds of [false, true]) {
      const store = await open({ followEnds });
      const [opened, deleted] = [told(), told()];
      await store.create(opened);
      await store.create(deleted);
      const calls = async () => {
        const stats = await admin.info("commandstats");
        return (
          Number(/^cmdstat_evalsha:calls=(\d+)/m.exec(stats)?.[1] ?? 0) +
          Number(/^cmdstat_eval:calls=(\d+)/m.exec(stats)?.[1] ?? 0)
        );
      };
      const earlier = await calls();
      await store.open(opening(opened));
      await store.delete(deleted.id);
      await store.countPending();
      counts.push((await calls()) - earlier);
      assert.equal(await admin.zcard(DUE_KEY), followEnds ? 2 : 0);
      await admin.flushall();
    }
    assert.deepEqual(counts, [3, 5]);
  });
});

describe("A record that is not there any more, or that only another version knows", () => {
  it("leaves the index, or is looked at much later, and nobody is told", async () => {
    const store = await open();
    const [gone, newer] = [told(), told()];
    for (const secret of [gone, newer]) {
      await store.create(secret);
      await store.delete(secret.id);
    }
    await admin.del(recordKey(gone.id));
    await admin.hset(recordKey(newer.id), "v", "9");
    await soon();
    assert.deepEqual(await sweep(store), []);
    assert.deepEqual(await admin.zrange(DUE_KEY, "0", "-1"), [newer.id]);
    await advanceRedis(admin, 60);
    assert.deepEqual(await sweep(store), []);
  });
});
