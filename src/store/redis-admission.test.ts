import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { Redis } from "ioredis";
import type { StoreBudget } from "../config/config.ts";
import { storedCiphertext } from "../envelope/tokens.ts";
import { advanceRedis } from "../testing/advance-redis.ts";
import { keptBytes } from "../testing/kept-bytes.ts";
import {
  bytes,
  newSecret,
  newUpload,
  opening,
  openingOnce,
  openingWrong,
  readWhole,
  seconds,
  uploadWhole,
} from "../testing/new-secret.ts";
import { connectPatiently, openRedisStore, TEST_LIMITS } from "../testing/open-redis-store.ts";
import { patiently } from "../testing/patiently.ts";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { until } from "../testing/until.ts";
import { createAdmission } from "./redis-admission.ts";
import { parseInfo } from "./redis-info.ts";
import { attachmentCost, contentCost, DUE_COST, SHARE_COST, uploadCost } from "./redis-memory.ts";
import {
  BLOB_BLOCK,
  MAX_RULES_BYTES,
  MAX_SENDER_BYTES,
  type NewSecret,
  type Store,
  StoreFullError,
  UploadsFullError,
} from "./store.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

let server: TestRedis;
let admin: Redis;
const stores: Store[] = [];
// One for each test: budgets are measured from what it uses, and what another test left would be freed at some time.
beforeEach(async () => {
  server = await startRedis();
  admin = await server.client();
});
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
  await server.stop();
});

const usedOf = async (redis: Redis) =>
  Number(parseInfo(await redis.info("memory")).get("used_memory") ?? Number.NaN);
const sized = (size: number) => newSecret({ blob: storedCiphertext(bytes(size)) });

async function open(budget: StoreBudget, keyring?: Redis): Promise<Store> {
  const store = await openRedisStore(server.port, { budget, keyring });
  stores.push(store);
  return store;
}
const openWithRoom = async (room: number) => open({ kind: "size", bytes: (await usedOf(admin)) + room });

/** As a client does it: one that waited too long for its turn, as on a slow machine, comes again. */
function create(store: Store, secret: NewSecret): Promise<"created" | "full"> {
  return patiently(async () => {
    try {
      assert.equal((await store.create(secret)).kind, "created");
      return "created";
    } catch (error) {
      if (error instanceof StoreFullError) return "full";
      throw error;
    }
  });
}
async function fill(store: Store, size = 20_000): Promise<NewSecret[]> {
  const kept: NewSecret[] = [];
  for (;;) {
    const secret = sized(size);
    if ((await create(store, secret)) === "full") return kept;
    kept.push(secret);
  }
}
/** What somebody else changed is seen with the next reading. */
const untilFull = (store: Store) => until(async () => (await create(store, newSecret())) === "full");

describe("A Redis that is filled to its budget", () => {
  it("refuses a create, with nothing kept of it, and tells a create that it knows already", async () => {
    const store = await openWithRoom(1 * MIB);
    const [known] = await fill(store);
    assert(known);
    const before = (await admin.keys("*")).sort();
    const refused = sized(20_000);
    assert.equal(await create(store, refused), "full");
    assert.equal(await store.read(refused.id), undefined);
    assert.deepEqual((await admin.keys("*")).sort(), before);
    const again = await store.create(known);
    assert(again.kind === "created" && again.existed);
    assert.equal((await store.create({ ...sized(20_000), id: known.id })).kind, "conflict");
    assert.deepEqual((await admin.keys("*")).sort(), before);
  });

  for (const [state, maxmemory] of [
    ["above the budget", 0],
    ["out of memory", 1],
  ] as const) {
    it(`still opens, locks, unlocks, acknowledges, deletes and expires when it is ${state}`, async () => {
      const store = await openWithRoom(1 * MIB);
      const [opened, once, locked, deleted, expired] = [
        newSecret(),
        newSecret(),
        newSecret(),
        newSecret(),
        newSecret({ ttl: seconds(100) }),
      ];
      for (const secret of [opened, once, locked, deleted, expired]) await store.create(secret);
      await fill(store);
      await advanceRedis(admin, 101);
      await admin.set("something else", Buffer.alloc(2 * MIB));
      await admin.config("SET", "maxmemory", String(maxmemory));
      await untilFull(store);
      const request = opening(opened);
      for (let times = 0; times < 2; times++) {
        assert.equal((await store.open(request)).kind, "handed-over");
        assert.deepEqual(await readWhole(store, opened), opened.blob);
      }
      assert.equal((await store.acknowledge(opened.id, request.claim)).kind, "acknowledged");
      assert.equal((await store.open(openingOnce(once))).kind, "handed-over");
      for (let tries = 0; tries < TEST_LIMITS.passphraseTries; tries++) {
        assert.equal((await store.open(openingWrong(locked))).kind, "wrong-passphrase");
      }
      assert.equal((await store.open(opening(locked))).kind, "locked");
      assert.equal((await store.unlock(locked.id)).kind, "unlocked");
      assert.equal((await store.open(opening(locked))).kind, "handed-over");
      assert.equal((await store.delete(deleted.id)).kind, "deleted");
      assert.deepEqual(await store.collectExpired(), [expired.id]);
      for (const [{ id }, end] of [
        [opened, "opened"],
        [once, "opened"],
        [locked, "opened"],
        [deleted, "deleted"],
        [expired, "expired"],
      ] as const) {
        assert.equal((await store.read(id))?.state, end);
      }
    });
  }

  it("has room again as soon as a secret is deleted", async () => {
    const store = await openWithRoom(1 * MIB);
    const [first] = await fill(store, 100_000);
    assert(first);
    await store.delete(first.id);
    assert.equal(await create(store, sized(100_000)), "created");
  });

  it("takes a share of maxmemory, and follows when it is changed", async () => {
    const used = await usedOf(admin);
    const [enough, more] = [used + 2 * MIB, 4 * (used + 2 * MIB)];
    await admin.config("SET", "maxmemory", String(enough));
    // Half of what is used now, and twice as much as soon as there is more: what clients come and go with is less.
    const store = await open({ kind: "share", share: used / 2 / enough });
    assert.equal(await create(store, newSecret()), "full");
    await admin.config("SET", "maxmemory", String(more));
    assert.equal(await create(store, newSecret()), "created");
  });

  it("tells how full it is", async () => {
    await admin.config("SET", "maxmemory", String(100 * MIB));
    const store = await open({ kind: "share", share: 0.8 });
    const [memory, ...others] = await store.memory();
    assert.deepEqual(others, []);
    assert(memory && memory.used > 500 * KIB && memory.used < 10 * MIB);
    assert.deepEqual(
      { ...memory, used: 0 },
      { place: "redis", node: "", used: 0, budget: Math.floor(80 * MIB) },
    );
  });
});

describe("A burst of creates", () => {
  const used = () => usedOf(admin);

  async function openSeveral(count: number, bytes: number): Promise<Store[]> {
    const opened: Store[] = [];
    for (let i = 0; i < count; i++)
      opened.push(await openRedisStore(server.port, { budget: { kind: "size", bytes } }));
    stores.push(...opened);
    return opened;
  }
  const burst = (store: Store, count: number) =>
    Array.from({ length: count }, () => create(store, sized(16_000)));

  it("of one process does not exceed the budget, and fills it", async () => {
    const [store] = await openSeveral(1, (await used()) + 2 * MIB);
    assert(store);
    const before = await used();
    assert((await Promise.all(burst(store, 300))).includes("full"));
    const after = await used();
    assert(after <= before + 2 * MIB, `${after - before} of ${2 * MIB}`);
    assert(after >= before + 1.5 * MIB, `${after - before} of ${2 * MIB}`);
  });

  it("of three processes exceeds it by a quarter of the room at most", async () => {
    const before = await used();
    const processes = await openSeveral(3, before + 2 * MIB);
    const results = await Promise.all(processes.flatMap((store) => burst(store, 150)));
    assert(results.includes("full"));
    const after = await used();
    assert(after <= before + 2.5 * MIB, `${after - before} of ${2 * MIB}`);
  });
});

describe("A keyring that is full", () => {
  it("refuses a create before anything is written to either Redis", async () => {
    const ring = await startRedis();
    try {
      const ringAdmin = await ring.client();
      await admin.config("SET", "maxmemory", String(1024 * MIB));
      const store = await open({ kind: "share", share: 0.8 }, await connectPatiently(ring.port));
      const kept = newSecret();
      await store.create(kept);
      await ringAdmin.config("SET", "maxmemory", String(Math.floor((await usedOf(ringAdmin)) * 1.1)));
      await untilFull(store);
      const shares = await ringAdmin.dbsize();
      assert.equal(await create(store, newSecret()), "full");
      assert.equal(await ringAdmin.dbsize(), shares);
      assert.equal(await store.countPending(), shares);
      const places = (await store.memory()).map(({ place, used, budget = 0 }) => [place, used > budget]);
      assert.deepEqual(places, [
        ["redis", false],
        ["keyring", true],
      ]);
      assert.equal((await store.open(opening(kept))).kind, "handed-over");
    } finally {
      for (const store of stores.splice(0)) await store.close();
      await ring.stop();
    }
  });
});

describe("What a secret is reckoned at", () => {
  for (const size of [1_096, 4_200, 66_000, 1_050_000]) {
    it(`is no less than what it takes, with ${size} bytes`, async () => {
      const store = await openRedisStore(server.port);
      stores.push(store);
      const secrets = Array.from({ length: size > 50_000 ? 20 : 1_000 }, () => sized(size));
      // The scripts are there from the first ones on.
      for (let warm = 0; warm < 5; warm++) await store.create(sized(size));
      const before = await keptBytes(admin);
      for (const secret of secrets) await store.create(secret);
      const each = ((await keptBytes(admin)) - before) / secrets.length;
      const reckoned = contentCost(size) + SHARE_COST + DUE_COST;
      assert(each <= reckoned, `${each} of ${reckoned}`);
    });
  }

  for (const [rules, sender] of [
    [0, 80],
    [300, 0],
    [MAX_RULES_BYTES, MAX_SENDER_BYTES],
  ] as const) {
    it(`is no less than what it takes, with ${rules} bytes of rules and ${sender} of a sender`, async () => {
      const store = await openRedisStore(server.port);
      stores.push(store);
      const attached = {
        ...(rules > 0 ? { rules: "r".repeat(rules) } : {}),
        ...(sender > 0 ? { sender: "s".repeat(sender) } : {}),
      };
      const next = () => newSecret({ ...attached, blob: storedCiphertext(bytes(1_096)) });
      for (let warm = 0; warm < 5; warm++) await store.create(next());
      const before = await keptBytes(admin);
      for (let count = 0; count < 1_000; count++) await store.create(next());
      const each = ((await keptBytes(admin)) - before) / 1_000;
      const reckoned = contentCost(1_096) + attachmentCost(attached) + SHARE_COST + DUE_COST;
      assert(each <= reckoned, `${each} of ${reckoned}`);
    });
  }
});

describe("Room for an upload", () => {
  it("is kept from others until the upload ends, and what is attached counts", async () => {
    const before = await usedOf(admin);
    const client = await connectPatiently(server.port);
    const budget = { kind: "size", bytes: before + 4 * MIB } as const;
    try {
      const { admit } = createAdmission({ client, keyring: undefined, budget });
      const { id } = newSecret();
      const upload = await admit(id, 3 * MIB, { lasting: true });
      await assert.rejects(admit(id, 2 * MIB), StoreFullError);
      upload.release();
      await assert.rejects(admit(id, 2 * MIB, { attached: 2 * MIB }), StoreFullError);
      (await admit(id, 2 * MIB)).release();
    } finally {
      client.disconnect();
    }
  });

  it("is kept from its create on, and is free again when it is deleted", async () => {
    const store = await openWithRoom(8 * MIB);
    const { secret } = newUpload(3 * MIB);
    await store.create(secret);
    assert.equal(await create(store, newUpload(2 * MIB).secret), "full");
    assert.equal(await create(store, sized(6 * MIB)), "full");
    await store.delete(secret.id);
    assert.equal(await create(store, newUpload(2 * MIB).secret), "created");
  });

  it("is not kept twice by a create that comes again, nor by one that is refused", async () => {
    const store = await openWithRoom(8 * MIB);
    const { secret } = newUpload(2 * MIB);
    for (let times = 0; times < 4; times++) {
      const created = await store.create(secret);
      assert(created.kind === "created" && created.existed === times > 0);
      assert.equal((await store.create(newUpload(2 * MIB, { id: secret.id }).secret)).kind, "conflict");
    }
    assert.equal(await create(store, newUpload(2 * MIB).secret), "created");
  });

  it("becomes what Redis uses as its bytes arrive, so that a sealed upload keeps nothing", async () => {
    const store = await openWithRoom(12 * MIB);
    const { secret, blob } = newUpload(5 * MIB);
    await uploadWhole(store, secret, blob);
    assert.equal(await create(store, sized(7 * MIB)), "full");
    assert.equal(await create(store, newUpload(2 * MIB).secret), "created");
    assert.deepEqual(await readWhole(store, secret), blob);
  });

  it("is at most half of the budget for all unfinished uploads together, so that what is whole finds some", async () => {
    const store = await openWithRoom(8 * MIB);
    const kept: NewSecret[] = [];
    for (let next = newUpload(MIB).secret; (await create(store, next)) === "created"; ) {
      kept.push(next);
      next = newUpload(MIB).secret;
    }
    assert.equal(kept.length, 4);
    assert.equal(await create(store, sized(2 * MIB)), "created");
    await assert.rejects(store.create(newUpload(MIB).secret), UploadsFullError);
  });

  it("is asked for piece by piece where another process has admitted it", async () => {
    const { secret, blob } = newUpload(2 * BLOB_BLOCK);
    await (await open({ kind: "size", bytes: 1024 * MIB })).create(secret);
    const store = await openWithRoom(1 * MIB);
    const [first, second] = [blob.subarray(0, BLOB_BLOCK), blob.subarray(BLOB_BLOCK)];
    assert.equal((await store.writeBlob(secret.id, 0, first)).kind, "written");
    await assert.rejects(store.writeBlob(secret.id, BLOB_BLOCK, second), StoreFullError);
    assert.equal((await store.read(secret.id))?.upload?.received, BLOB_BLOCK);
  });

  for (const size of [70_000, BLOB_BLOCK, 3 * BLOB_BLOCK + 100_000]) {
    it(`is no less than what the upload takes, with ${size} bytes`, async () => {
      const store = await openRedisStore(server.port);
      stores.push(store);
      const uploads = Array.from({ length: 20 }, () => newUpload(size));
      for (let warm = 0; warm < 5; warm++) {
        const { secret, blob } = newUpload(size);
        await uploadWhole(store, secret, blob);
      }
      const before = await keptBytes(admin);
      for (const { secret, blob } of uploads) await uploadWhole(store, secret, blob);
      const each = ((await keptBytes(admin)) - before) / uploads.length;
      const reckoned = uploadCost(size) + SHARE_COST + DUE_COST;
      assert(each <= reckoned, `${each} of ${reckoned}`);
    });
  }
});
