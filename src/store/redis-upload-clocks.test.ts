import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Redis } from "ioredis";
import { advanceRedis } from "../testing/advance-redis.ts";
import { newUpload, openingOnce, seconds, uploadWhole } from "../testing/new-secret.ts";
import { openRedisStore, TEST_LIMITS } from "../testing/open-redis-store.ts";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { recordKey, UPLOAD_SIZES_KEY } from "./redis-keys.ts";
import { type NewSecret, type SecretRecord, type Store, UPLOAD_LIMITS } from "./store.ts";

const DAY = 86_400;
const YEAR = 365 * DAY;
const { idle, longest } = UPLOAD_LIMITS;

let server: TestRedis;
let admin: Redis;
let store: Store;

before(async () => {
  server = await startRedis();
  admin = await server.client();
  store = await openRedisStore(server.port);
});
beforeEach(() => admin.flushall());
after(async () => {
  await store.close();
  await server.stop();
});

/** See redis-clocks.test.ts: another clock is the same as all times moved. */
const clockBack = () => advanceRedis(admin, -YEAR);

/** In order, with nothing before the create. */
function assertSensible(record: SecretRecord | undefined): asserts record {
  assert(record);
  const { createdAt, events, expiresAt, endedAt } = record;
  const times = [createdAt, ...events.map(({ at }) => at)];
  assert.deepEqual(
    times,
    [...times].sort((a, b) => a - b),
    "in order",
  );
  assert(expiresAt > createdAt);
  if (endedAt !== undefined) assert.equal(endedAt, events.at(-1)?.at);
}
async function assertLives(secret: NewSecret, most: number): Promise<void> {
  for (const key of await admin.keys(`ws:{${secret.id}}:*`)) {
    const left = await admin.pttl(key);
    const record = key === recordKey(secret.id) ? TEST_LIMITS.retention : 0;
    assert(left > 0 && left <= (most + record) * 1_000, `${key} ${left}`);
  }
}

describe("An upload that finds itself at a clock a year behind", () => {
  it("goes on, with no more time than any other, and is sealed for as long as was asked", async () => {
    const { secret, blob } = newUpload(1_000, { ttl: seconds(500) });
    await store.create(secret);
    await clockBack();
    const begun = Date.now();
    assert.equal((await store.writeBlob(secret.id, 0, blob.subarray(0, 900))).kind, "written");
    const record = await store.read(secret.id);
    assertSensible(record);
    assert(record.expiresAt <= Date.now() + idle * 1_000);
    // What no later byte has touched is the share, which is as long off as its record was.
    for (const key of await admin.keys(`ws:{${secret.id}}:blob*`)) {
      assert((await admin.pttl(key)) <= longest * 1_000);
    }
    await store.writeBlob(secret.id, 900, blob.subarray(900));
    const sealed = await store.sealUpload(secret.id);
    assert(sealed.kind === "sealed" && sealed.createdAt <= Date.now());
    assert(sealed.expiresAt >= begun + 500_000 && sealed.expiresAt <= Date.now() + 500_000);
    assertSensible(await store.read(secret.id));
    await assertLives(secret, 500);
    assert.equal((await store.open(openingOnce(secret))).kind, "handed-over");
  });

  it("is given up after its usual time when nothing comes, and no longer counted", async () => {
    const [empty, half] = [newUpload(1_000), newUpload(1_000)];
    for (const { secret } of [empty, half]) await store.create(secret);
    await store.writeBlob(half.secret.id, 0, half.blob.subarray(0, 500));
    await clockBack();
    assert.deepEqual(await store.collectAbandoned(), []);
    for (const { secret } of [empty, half]) assertSensible(await store.read(secret.id));
    await advanceRedis(admin, idle + 1);
    const abandoned = new Set(await store.collectAbandoned());
    assert.deepEqual(abandoned, new Set([empty.secret.id, half.secret.id]));
    for (const { secret } of [empty, half]) {
      const record = await store.read(secret.id);
      assertSensible(record);
      assert.equal(record.state, "expired");
    }
    assert.equal(await admin.exists(UPLOAD_SIZES_KEY), 0);
  });

  it("is deleted or lost with its end after its beginning", async () => {
    const [deleted, lost] = [newUpload(10), newUpload(10)];
    for (const { secret } of [deleted, lost]) await store.create(secret);
    await clockBack();
    assert.equal((await store.unlock(deleted.secret.id)).kind, "unlocked");
    assert.equal((await store.delete(deleted.secret.id)).kind, "deleted");
    await admin.del(...(await admin.keys(`ws:{${lost.secret.id}}:share:*`)));
    assert.equal((await store.read(lost.secret.id))?.state, "lost");
    for (const { secret } of [deleted, lost]) assertSensible(await store.read(secret.id));
  });
});

describe("An upload that finds itself at a clock hours ahead", () => {
  it("is given up, and one that was sealed has run out", async () => {
    const [open, sealed] = [newUpload(10), newUpload(10)];
    await store.create(open.secret);
    await uploadWhole(store, sealed.secret, sealed.blob);
    // Not so far that the records are forgotten as well.
    await advanceRedis(admin, TEST_LIMITS.retention - 1);
    assert.equal((await store.writeBlob(open.secret.id, 0, open.blob)).kind, "ended");
    assert.equal((await store.sealUpload(open.secret.id)).kind, "ended");
    assert.deepEqual(await store.collectAbandoned(), [open.secret.id]);
    assert.deepEqual(await store.collectExpired(), [sealed.secret.id]);
    for (const { secret } of [open, sealed]) assertSensible(await store.read(secret.id));
  });
});
