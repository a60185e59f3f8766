import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Redis } from "ioredis";
import { advanceRedis } from "../testing/advance-redis.ts";
import { endingWaits } from "../testing/blocked-waits.ts";
import { newUpload, opening, openingWrong, readWhole, seconds, uploadWhole } from "../testing/new-secret.ts";
import { openRedisStore } from "../testing/open-redis-store.ts";
import { cut, sendPieces } from "../testing/pieces.ts";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { startTcpProxy } from "../testing/tcp-proxy.ts";
import { until } from "../testing/until.ts";
import { blobKey, blockKey, recordKey, UPLOAD_SIZES_KEY, UPLOADS_KEY } from "./redis-keys.ts";
import { BLOB_BLOCK, type Store, StoreFullError, StoreUnavailableError, UPLOAD_LIMITS } from "./store.ts";

let server: TestRedis;
let admin: Redis;
let store: Store;

before(async () => {
  server = await startRedis();
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

describe("An upload in Redis", () => {
  it("has a time to live on every key: the upload's own at first, and the secret's from the seal on", async () => {
    const { secret, blob } = newUpload(2 * BLOB_BLOCK + 10, { ttl: seconds(100) });
    await store.create(secret);
    await sendPieces(store, secret.id, blob, cut(blob.length, 300_000));
    const content = async () =>
      (await admin.keys(`ws:{${secret.id}}:*`)).filter((key) => !key.endsWith("record"));
    assert.equal((await content()).length, 4);
    for (const key of await content()) {
      const left = await admin.pttl(key);
      assert(left > 0 && left <= UPLOAD_LIMITS.longest * 1000 + 60_000, `${key} ${left}`);
    }
    await store.sealUpload(secret.id);
    for (const key of await content()) {
      const left = await admin.pttl(key);
      assert(left > 90_000 && left <= 100_000, `${key} ${left}`);
    }
  });

  it("takes no more memory for a block that came in pieces than for one that came whole", async () => {
    const { secret, blob } = newUpload(2 * BLOB_BLOCK);
    await store.create(secret);
    await sendPieces(store, secret.id, blob, [
      ...cut(BLOB_BLOCK, 1_000).filter((_, index) => index % 20 === 0),
      ...cut(BLOB_BLOCK, 10_000),
      { start: BLOB_BLOCK, end: 2 * BLOB_BLOCK },
    ]);
    const usage = (index: number) => admin.memory("USAGE", blockKey(secret.id, index));
    assert.equal(await usage(0), await usage(1));
  });

  it("is not counted any more when it has ended, and then leaves nothing of the count", async () => {
    const uploads = [newUpload(100), newUpload(200), newUpload(300)];
    for (const { secret } of uploads) await store.create(secret);
    assert.equal(await admin.hget(UPLOAD_SIZES_KEY, "total"), "600");
    assert.equal(await admin.zcard(UPLOADS_KEY), 3);
    const [sealed, deleted, abandoned] = uploads;
    assert(sealed && deleted && abandoned);
    await store.writeBlob(sealed.secret.id, 0, sealed.blob);
    await store.sealUpload(sealed.secret.id);
    assert.equal(await admin.hget(UPLOAD_SIZES_KEY, "total"), "500");
    await store.delete(deleted.secret.id);
    await advanceRedis(admin, UPLOAD_LIMITS.idle + 1);
    assert.deepEqual(await store.collectAbandoned(), [abandoned.secret.id]);
    assert.equal(await admin.exists(UPLOAD_SIZES_KEY, UPLOADS_KEY), 0);
  });

  it("is not counted for ever where the process died before its record was there", async () => {
    const { secret } = newUpload(100);
    await store.create(secret);
    await admin.del(recordKey(secret.id));
    await advanceRedis(admin, UPLOAD_LIMITS.idle + 1);
    assert.deepEqual(await store.collectAbandoned(), []);
    assert.equal(await admin.dbsize(), 0);
  });

  it("is lost, and says so, when a block or its share is gone before its time", async () => {
    for (const part of ["blob:1", "share:"]) {
      for (const when of [
        "before the seal",
        "before it is read",
        "before it is opened",
        "for the wrong passphrase",
      ] as const) {
        const { secret, blob } = newUpload(2 * BLOB_BLOCK);
        await store.create(secret);
        await sendPieces(store, secret.id, blob, cut(blob.length, BLOB_BLOCK));
        if (when !== "before the seal") await store.sealUpload(secret.id);
        const keys = (await admin.keys(`ws:{${secret.id}}:*`)).filter((key) => key.includes(part));
        assert.equal(await admin.del(...keys), 1);
        const result = await {
          "before the seal": () => store.sealUpload(secret.id),
          "before it is read": () => store.read(secret.id),
          "before it is opened": () => store.open(opening(secret)),
          "for the wrong passphrase": () => store.open(openingWrong(secret)),
        }[when]();
        assert(result && "state" in result);
        assert.equal(result.state, "lost", `${part} ${when}`);
        assert.equal((await store.read(secret.id))?.state, "lost");
        assert.equal(await readWhole(store, secret), undefined);
        assert.deepEqual(await admin.keys("*"), [recordKey(secret.id)]);
        await admin.flushall();
      }
    }
  });

  it("finds no room in a full Redis, keeps what it has, and goes on when there is room again", async () => {
    const { secret, blob } = newUpload(2 * BLOB_BLOCK);
    await store.create(secret);
    await sendPieces(store, secret.id, blob, [{ start: 0, end: BLOB_BLOCK }]);
    await admin.config("SET", "maxmemory", "1");
    const rest = blob.subarray(BLOB_BLOCK);
    await assert.rejects(store.writeBlob(secret.id, BLOB_BLOCK, rest), StoreFullError);
    await assert.rejects(store.create(newUpload(10).secret), StoreFullError);
    assert.equal((await store.read(secret.id))?.upload?.received, BLOB_BLOCK);
    await admin.config("SET", "maxmemory", "0");
    await store.writeBlob(secret.id, BLOB_BLOCK, rest);
    // From here on a full Redis is no obstacle any more.
    await admin.config("SET", "maxmemory", "1");
    await assert.rejects(store.sealUpload(secret.id), StoreFullError);
    await admin.config("SET", "maxmemory", "0");
    assert.equal((await store.sealUpload(secret.id)).kind, "sealed");
    await admin.config("SET", "maxmemory", "1");
    const request = opening(secret);
    assert.equal((await store.open(request)).kind, "handed-over");
    assert.deepEqual(await readWhole(store, secret), blob);
    assert.equal((await store.acknowledge(secret.id, request.claim)).kind, "acknowledged");
    await admin.config("SET", "maxmemory", "0");
    const [deleted, abandoned] = [newUpload(BLOB_BLOCK), newUpload(BLOB_BLOCK)];
    for (const upload of [deleted, abandoned]) {
      await store.create(upload.secret);
      await sendPieces(store, upload.secret.id, upload.blob, [{ start: 0, end: 1_000 }]);
    }
    await admin.config("SET", "maxmemory", "1");
    assert.equal((await store.delete(deleted.secret.id)).kind, "deleted");
    await admin.config("SET", "maxmemory", "0");
    await advanceRedis(admin, UPLOAD_LIMITS.idle + 1);
    await admin.config("SET", "maxmemory", "1");
    assert.deepEqual(await store.collectAbandoned(), [abandoned.secret.id]);
    await admin.config("SET", "maxmemory", "0");
    assert.deepEqual(await admin.keys(`${blobKey(deleted.secret.id)}*`), []);
    assert.equal(await admin.exists(UPLOAD_SIZES_KEY, UPLOADS_KEY), 0);
  });

  it("has a record that replicas which know nothing of blocks leave alone, and other secrets have not", async () => {
    const { secret, blob } = newUpload(10);
    await uploadWhole(store, secret, blob);
    assert.equal(await admin.hget(recordKey(secret.id), "v"), "2");
    const inline = { ...newUpload(10).secret, blob };
    await store.create(inline);
    assert.equal(await admin.hget(recordKey(inline.id), "v"), "1");
  });
});

describe("A seal that waits for its replica", () => {
  it("is taken back where the replica does not have it, and comes true when it is asked for again", async () => {
    const replica = await startRedis();
    const line = await startTcpProxy(server.port);
    const waiting = await openRedisStore(server.port, { waitReplicas: 1, waitTimeout: 20_000 });
    const mirror = await openRedisStore(replica.port);
    try {
      const replicaAdmin = await replica.client();
      const follow = async () => {
        await replicaAdmin.replicaof("127.0.0.1", line.port);
        await until(async () => {
          await admin.set("line", "mended");
          return (await admin.wait(1, 100)) === 1;
        });
      };
      await follow();
      const { secret, blob } = newUpload(BLOB_BLOCK + 1);
      await waiting.create(secret);
      await sendPieces(waiting, secret.id, blob, cut(blob.length, BLOB_BLOCK));
      line.cut();
      for (let round = 0; round < 2; round++) {
        const refused = assert.rejects(waiting.sealUpload(secret.id), (error: unknown) => {
          assert(error instanceof StoreUnavailableError);
          assert.match(String(error.cause), /Too few replicas/);
          return true;
        });
        await endingWaits(admin, refused);
        const record = await waiting.read(secret.id);
        assert.equal(record?.state, "uploading");
        assert.deepEqual(record?.upload, { received: BLOB_BLOCK + 1, missing: [] });
        assert.equal(await waiting.countPending(), 0);
      }
      line.mend();
      await follow();
      const sealed = await waiting.sealUpload(secret.id);
      assert(sealed.kind === "sealed" && sealed.first);
      assert.equal((await mirror.read(secret.id))?.state, "sealed");
      assert.deepEqual(await readWhole(mirror, secret), blob);
      assert.equal((await waiting.open(opening(secret))).kind, "handed-over");
    } finally {
      await Promise.all([waiting.close(), mirror.close()]);
      await line.close();
      await replica.stop();
    }
  });
});
