import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Redis } from "ioredis";
import { storedCiphertext } from "../envelope/tokens.ts";
import { advanceRedis } from "../testing/advance-redis.ts";
import { bytes, newSecret, opening, openingOnce, openingWrong, seconds } from "../testing/new-secret.ts";
import { connectPatiently, openRedisStore, TEST_LIMITS } from "../testing/open-redis-store.ts";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { recordKey } from "./redis-keys.ts";
import { type Store, StoreFullError, StoreUnavailableError } from "./store.ts";

let server: TestRedis;
let admin: Redis;
let store: Store;

before(async () => {
  // Uncompressed, so that a dump of everything can be searched.
  server = await startRedis("--rdbcompression", "no");
  admin = await server.client();
  store = await openRedisStore(server.port);
});
beforeEach(async () => {
  await admin.config("SET", "maxmemory", "0");
  await admin.flushall();
});
after(async () => {
  await store.close();
  await server.stop();
});

const keysOf = async (part: string) => (await admin.keys("*")).filter((key) => key.includes(part));
async function theKey(part: string): Promise<string> {
  const [key, ...others] = await keysOf(part);
  assert(key && others.length === 0, `one key with ${part}`);
  return key;
}
const everything = async () => {
  const dumps = await Promise.all((await admin.keys("*")).sort().map((key) => admin.dumpBuffer(key)));
  return Buffer.concat(dumps.filter((dump) => dump !== null));
};

describe("What a secret leaves in Redis", () => {
  it("has a time to live on every key that holds content, no longer than the secret's", async () => {
    const secret = newSecret({ ttl: seconds(100) });
    await store.create(secret);
    for (const part of [":share:", ":blob"]) {
      const left = await admin.pttl(await theKey(part));
      assert(left > 90_000 && left <= 100_000, `${part} ${left}`);
    }
    const left = await admin.pttl(await theKey(":record"));
    assert(left > 10_090_000 && left <= 10_100_000);
  });

  it("has that time cut to the redelivery window by an open, and the record's to the retention", async () => {
    const secret = newSecret();
    await store.create(secret);
    await store.open(opening(secret));
    for (const part of [":share:", ":blob"]) {
      const left = await admin.pttl(await theKey(part));
      assert(left > 20_000 && left <= 30_000, `${part} ${left}`);
    }
    const left = await admin.pttl(await theKey(":record"));
    assert(left > 9_990_000 && left <= 10_000_000);
  });

  it("is the record and nothing else after an acknowledgement, a claimless open, or a deletion", async () => {
    const [acknowledged, once, deleted] = [newSecret(), newSecret(), newSecret()];
    for (const secret of [acknowledged, once, deleted]) await store.create(secret);
    const request = opening(acknowledged);
    await store.open(request);
    await store.acknowledge(acknowledged.id, request.claim);
    await store.open(openingOnce(once));
    await store.delete(deleted.id);
    const left = [acknowledged, once, deleted].map(({ id }) => recordKey(id));
    assert.deepEqual((await admin.keys("*")).sort(), left.sort());
  });

  it("holds the share in one key only, and neither claim nor access proof anywhere", async () => {
    const secret = newSecret();
    await store.create(secret);
    const request = opening(secret);
    await store.open(request);
    assert((await everything()).includes(Buffer.from(secret.share)));
    await admin.del(await theKey(":share:"));
    const rest = await everything();
    for (const hidden of [secret.share, request.claim]) assert(!rest.includes(Buffer.from(hidden)));
  });

  it("is nothing at all when a create is refused", async () => {
    const secret = newSecret();
    await store.create(secret);
    const before = (await admin.keys("*")).sort();
    await store.create(newSecret({ id: secret.id }));
    await store.create(secret);
    assert.deepEqual((await admin.keys("*")).sort(), before);
  });
});

describe("A full Redis", () => {
  it("refuses a create as full, with nothing half-kept", async () => {
    await store.create(newSecret());
    const before = (await admin.keys("*")).sort();
    await admin.config("SET", "maxmemory", "1");
    await assert.rejects(store.create(newSecret()), StoreFullError);
    await assert.rejects(store.create(newSecret({ blob: storedCiphertext(bytes(500_000)) })), StoreFullError);
    assert.deepEqual((await admin.keys("*")).sort(), before);
  });

  it("keeps nothing of a create that is refused half-way", async () => {
    const keyring = await startRedis();
    const split = await openRedisStore(server.port, { keyring: await connectPatiently(keyring.port) });
    const keyringAdmin = await keyring.client();
    try {
      await keyringAdmin.config("SET", "maxmemory", "1");
      await assert.rejects(split.create(newSecret()), StoreFullError);
      await keyringAdmin.config("SET", "maxmemory", "0");
      assert.equal(await admin.dbsize(), 0);
      // The index and the share still find room, the ciphertext doesn't.
      const used = Number(/used_memory:(\d+)/.exec(await admin.info("memory"))?.[1]);
      let refused = 0;
      for (let room = 0; room < 400_000; room += 20_000) {
        await admin.config("SET", "maxmemory", String(used + room));
        const secret = newSecret({ blob: storedCiphertext(bytes(100_000)) });
        await split.create(secret).catch((error: unknown) => {
          assert(error instanceof StoreFullError);
          refused++;
        });
      }
      assert(refused > 0);
      const kept = (await keysOf(":record")).length;
      assert.equal((await keysOf(":blob")).length, kept);
      assert.equal(await split.countPending(), kept);
      assert.equal(await keyringAdmin.dbsize(), kept);
    } finally {
      await split.close();
      await keyring.stop();
    }
  });

  it("still opens, counts wrong passphrases, unlocks, acknowledges, deletes and expires", async () => {
    const [opened, locked, deleted, expired] = [
      newSecret(),
      newSecret(),
      newSecret(),
      newSecret({ ttl: seconds(100) }),
    ];
    for (const secret of [opened, locked, deleted, expired]) await store.create(secret);
    await advanceRedis(admin, 101);
    await admin.config("SET", "maxmemory", "1");
    const request = opening(opened);
    assert.equal((await store.open(request)).kind, "handed-over");
    assert.equal((await store.open(request)).kind, "handed-over");
    assert.equal((await store.acknowledge(opened.id, request.claim)).kind, "acknowledged");
    for (let tries = 0; tries < TEST_LIMITS.passphraseTries; tries++) await store.open(openingWrong(locked));
    assert.equal((await store.open(opening(locked))).kind, "locked");
    assert.equal((await store.unlock(locked.id)).kind, "unlocked");
    assert.equal((await store.delete(deleted.id)).kind, "deleted");
    assert.deepEqual(await store.collectExpired(), [expired.id]);
    assert.equal((await store.create(locked)).kind, "created");
  });
});

describe("What Redis itself loses", () => {
  for (const part of [":share:", ":blob"]) {
    it(`is said to be lost, once and for all, when the ${part.replaceAll(":", "")} is gone`, async () => {
      for (const ask of ["read", "open", "open wrongly", "open once"]) {
        const secret = newSecret();
        await store.create(secret);
        await admin.del(await theKey(part));
        if (ask !== "read") {
          const request = { open: opening, "open wrongly": openingWrong, "open once": openingOnce }[ask];
          const result = await store.open((request ?? opening)(secret));
          assert(result.kind === "ended");
          assert.equal(result.state, "lost");
        }
        const record = await store.read(secret.id);
        assert.equal(record?.state, "lost");
        assert.deepEqual(
          record?.events.map(({ kind }) => kind),
          ask === "open wrongly" && part === ":share:"
            ? ["sealed", "wrong-passphrase", "lost"]
            : ["sealed", "lost"],
        );
        assert.deepEqual(await store.read(secret.id), record);
        assert.deepEqual(await admin.keys("*"), [recordKey(secret.id)]);
        assert.equal((await store.delete(secret.id)).kind, "ended");
        await admin.flushall();
      }
    });
  }

  it("is lost for a locked secret too", async () => {
    const secret = newSecret();
    await store.create(secret);
    for (let tries = 0; tries < TEST_LIMITS.passphraseTries; tries++) await store.open(openingWrong(secret));
    await admin.del(await theKey(":share:"));
    const result = await store.open(opening(secret));
    assert(result.kind === "ended");
    assert.equal(result.state, "lost");
  });

  it("counts as expired when it goes within seconds of its time", async () => {
    for (const ask of ["read", "open"] as const) {
      const secret = newSecret({ ttl: seconds(100) });
      await store.create(secret);
      await advanceRedis(admin, 97);
      await admin.del(await theKey(":share:"));
      if (ask === "open") {
        const result = await store.open(opening(secret));
        assert(result.kind === "ended");
        assert.equal(result.state, "expired");
      }
      assert.equal((await store.read(secret.id))?.state, "expired");
      await advanceRedis(admin, 5);
      assert.deepEqual(await store.collectExpired(), [secret.id]);
      const record = await store.read(secret.id);
      assert.deepEqual(
        record?.events.map(({ kind }) => kind),
        ["sealed", "expired"],
      );
      await admin.flushall();
    }
  });

  it("does not turn an opened secret into a lost one", async () => {
    const secret = newSecret();
    await store.create(secret);
    const request = opening(secret);
    await store.open(request);
    await admin.del(await theKey(":share:"));
    const again = await store.open(request);
    assert(again.kind === "ended");
    assert.equal(again.state, "opened");
    assert.equal((await store.read(secret.id))?.state, "opened");
  });
});

describe("A Redis that has forgotten the scripts", () => {
  it("is sent them again", async () => {
    const secret = newSecret();
    await store.create(secret);
    await admin.script("FLUSH");
    assert.equal((await store.read(secret.id))?.state, "sealed");
    const results = await Promise.all(Array.from({ length: 50 }, () => store.open(opening(secret))));
    assert.equal(results.filter(({ kind }) => kind === "handed-over").length, 1);
  });
});

describe("Two versions of the program on one Redis", () => {
  it("leave records of another format alone and answer as unavailable", async () => {
    const secret = newSecret();
    await store.create(secret);
    await admin.hset(recordKey(secret.id), "v", "9");
    const before = await everything();
    const { claim } = opening(secret);
    const acts = [
      () => store.read(secret.id),
      () => store.create(secret),
      () => store.open(opening(secret)),
      () => store.acknowledge(secret.id, claim),
      () => store.delete(secret.id),
      () => store.unlock(secret.id),
    ];
    for (const act of acts) {
      await assert.rejects(act, (error: unknown) => {
        assert(error instanceof StoreUnavailableError);
        assert.match(String(error.cause), /another format version/);
        return true;
      });
    }
    assert.deepEqual(await everything(), before);
  });

  it("don't keep a sweep from the records it knows", async () => {
    const unknown = Array.from({ length: 120 }, () => newSecret({ ttl: seconds(10) }));
    for (const secret of unknown) {
      await store.create(secret);
      await admin.hset(recordKey(secret.id), "v", "9");
    }
    const known = newSecret({ ttl: seconds(11) });
    await store.create(known);
    await advanceRedis(admin, 12);
    assert.deepEqual(await store.collectExpired(), [known.id]);
    assert.deepEqual(await store.collectExpired(), []);
  });
});
