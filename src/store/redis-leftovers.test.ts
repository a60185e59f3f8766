import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Redis } from "ioredis";
import { advanceRedis } from "../testing/advance-redis.ts";
import { keptBytes } from "../testing/kept-bytes.ts";
import { newUpload, opening, openingOnce, uploadWhole } from "../testing/new-secret.ts";
import { openRedisStore, TEST_LIMITS } from "../testing/open-redis-store.ts";
import { cut, sendPieces } from "../testing/pieces.ts";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { recordKey } from "./redis-keys.ts";
import { BLOB_BLOCK, type NewSecret, type Store, UPLOAD_LIMITS } from "./store.ts";

/** 50 MiB, in more blocks than one script frees. */
const SIZE = 100 * BLOB_BLOCK + 12_345;
/**
 * Bytes that Redis may use more than before, without what connections hold: tables come and go, and
 * were seen to add 100,000. One forgotten block is more than this.
 */
const TOLERANCE = BLOB_BLOCK;

let server: TestRedis;
let admin: Redis;
let store: Store;

before(async () => {
  server = await startRedis();
  admin = await server.client();
  store = await openRedisStore(server.port);
});
after(async () => {
  await store.close();
  await server.stop();
});

async function measured(): Promise<number> {
  await admin.call("MEMORY", "PURGE");
  return keptBytes(admin);
}

type End = (secret: NewSecret, blob: Uint8Array) => Promise<unknown>;
const whole =
  (end: (secret: NewSecret) => Promise<unknown>): End =>
  async (secret, blob) => {
    await uploadWhole(store, secret, blob);
    assert.equal(await admin.exists(`${blobKeys(secret)}:0`), 1);
    await end(secret);
  };
const half =
  (end: (secret: NewSecret) => Promise<unknown>): End =>
  async (secret, blob) => {
    await store.create(secret);
    // Not along the blocks, and with a gap.
    await sendPieces(store, secret.id, blob, cut(SIZE / 3, 200_000));
    await sendPieces(store, secret.id, blob, [{ start: SIZE - 10, end: SIZE }]);
    await end(secret);
  };
const blobKeys = ({ id }: NewSecret) => `ws:{${id}}:blob`;

const ENDS: Readonly<Record<string, End>> = {
  "was opened and acknowledged": whole(async (secret) => {
    const request = opening(secret);
    await store.open(request);
    await store.acknowledge(secret.id, request.claim);
  }),
  "was opened without a claim": whole((secret) => store.open(openingOnce(secret))),
  "was opened and its window has ended": whole(async (secret) => {
    await store.open(opening(secret));
    await advanceRedis(admin, TEST_LIMITS.redeliveryWindow + 1);
  }),
  "was deleted": whole(({ id }) => store.delete(id)),
  "was opened, and deleted within the window": whole(async (secret) => {
    await store.open(opening(secret));
    await store.delete(secret.id);
  }),
  "has run out": whole(async ({ id, ttl }) => {
    await advanceRedis(admin, ttl + 1);
    assert.deepEqual(await store.collectExpired(), [id]);
  }),
  "was lost with its share": whole(async ({ id }) => {
    const [share] = await admin.keys(`ws:{${id}}:share:*`);
    await admin.del(share ?? "");
    assert.equal((await store.read(id))?.state, "lost");
  }),
  "was deleted while it was uploading": half(({ id }) => store.delete(id)),
  "was given up while it was uploading": half(async ({ id }) => {
    await advanceRedis(admin, UPLOAD_LIMITS.idle + 1);
    assert.deepEqual(await store.collectAbandoned(), [id]);
  }),
};

describe("A secret of 50 MiB leaves nothing behind in Redis but its record", () => {
  for (const [how, end] of Object.entries(ENDS)) {
    it(`when it ${how}`, async () => {
      await admin.flushall();
      // What is made once and stays, such as scripts.
      const first = newUpload(BLOB_BLOCK + 1);
      await uploadWhole(store, first.secret, first.blob);
      await store.delete(first.secret.id);
      await admin.flushall();
      const before = await measured();

      const { secret, blob } = newUpload(SIZE);
      await end(secret, blob);
      assert.deepEqual(await admin.keys("*"), [recordKey(secret.id)]);
      assert.equal(await admin.dbsize(), 1);
      const more = (await measured()) - before;
      assert(more < TOLERANCE, `${more} bytes more than before`);
    });
  }

  it("when nobody comes back to it at all, by Redis' own times to live", async () => {
    await admin.flushall();
    const uploads = { ...UPLOAD_LIMITS, longest: 1_000 };
    const forgetful = await openRedisStore(server.port, { limits: { ...TEST_LIMITS, uploads } });
    try {
      const [sealed, unfinished] = [newUpload(3 * BLOB_BLOCK), newUpload(3 * BLOB_BLOCK)];
      await uploadWhole(forgetful, sealed.secret, sealed.blob);
      await forgetful.create(unfinished.secret);
      await sendPieces(forgetful, unfinished.secret.id, unfinished.blob, cut(2 * BLOB_BLOCK, 300_000));
      await advanceRedis(admin, 1_100);
      const left = (await admin.keys("ws:{*}:*")).filter((key) => /:(blob|share)/.test(key));
      assert.deepEqual(left, []);
    } finally {
      await forgetful.close();
    }
  });
});
