import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  bytes,
  fingerprint,
  newSecret,
  newUpload,
  opening,
  openingOnce,
  readWhole,
  seconds,
  uploadWhole,
} from "../testing/new-secret.ts";
import { cut, sendPieces } from "../testing/pieces.ts";
import { type MakeStore, useStore } from "./contract-harness.ts";
import { BLOB_BLOCK, MAX_READ, UPLOAD_LIMITS } from "./store.ts";

export function partsContract(makeStore: MakeStore): void {
  describe("a blob in pieces", () => {
    const fixture = useStore(makeStore);

    it("is a secret like any other once it is sealed, with its whole time to live from then", async () => {
      const { store, advance } = fixture.current;
      const { secret, blob } = newUpload(BLOB_BLOCK + 10, { ttl: seconds(1_000) });
      const pending = await store.countPending();
      const created = await store.create(secret);
      assert(created.kind === "created" && !created.existed);
      assert.equal(created.expiresAt - created.createdAt, UPLOAD_LIMITS.idle * 1000);
      const begun = await store.read(secret.id);
      assert.equal(begun?.state, "uploading");
      assert.deepEqual(begun?.events, []);
      assert.deepEqual(begun?.upload, { received: 0, missing: [{ start: 0, end: BLOB_BLOCK + 10 }] });
      await advance(100);
      const moved = await store.read(secret.id);
      await sendPieces(store, secret.id, blob, cut(blob.length, BLOB_BLOCK));
      assert.equal(await store.countPending(), pending);
      const sealed = await store.sealUpload(secret.id);
      assert(sealed.kind === "sealed" && sealed.first);
      assert.equal(await store.countPending(), pending + 1);
      const record = await store.read(secret.id);
      assert.equal(record?.state, "sealed");
      assert.equal(record?.upload, undefined);
      assert.equal(record?.createdAt, moved?.createdAt);
      assert.equal(record?.expiresAt, sealed.expiresAt);
      assert.deepEqual(record?.events, [{ at: sealed.expiresAt - 1_000_000, kind: "sealed" }]);
      await advance(990);
      assert.deepEqual(await readWhole(store, secret), blob);
      const opened = await store.open(opening(secret));
      assert(opened.kind === "handed-over");
      assert.deepEqual(opened.share, secret.share);
      assert.deepEqual(await readWhole(store, secret), blob);
    });

    for (const size of [
      0,
      1,
      BLOB_BLOCK - 1,
      BLOB_BLOCK,
      BLOB_BLOCK + 1,
      2 * BLOB_BLOCK,
      2 * BLOB_BLOCK + 1,
    ]) {
      it(`comes out as it went in with ${size} bytes`, async () => {
        const { store } = fixture.current;
        const { secret, blob } = newUpload(size);
        await uploadWhole(store, secret, blob);
        const record = await store.read(secret.id);
        assert.equal(record?.state, "sealed");
        assert.equal(record?.size, size);
        const read = await readWhole(store, secret);
        assert(read);
        assert.equal(fingerprint(read), fingerprint(blob));
      });
    }

    it("gives any range of itself, across blocks too, and none that it doesn't have", async () => {
      const { store } = fixture.current;
      const { secret, blob } = newUpload(2 * BLOB_BLOCK + 500);
      await uploadWhole(store, secret, blob);
      const ranges = [
        [0, 1],
        [BLOB_BLOCK - 1, BLOB_BLOCK],
        [BLOB_BLOCK - 3, BLOB_BLOCK + 3],
        [BLOB_BLOCK - 1, 2 * BLOB_BLOCK + 1],
        [7, 7 + MAX_READ],
        [BLOB_BLOCK, 2 * BLOB_BLOCK],
        [2 * BLOB_BLOCK, 2 * BLOB_BLOCK + 500],
      ] as const;
      for (const [start, end] of ranges) {
        assert.deepEqual(
          await store.readBlob(secret.id, start, end),
          blob.slice(start, end),
          `${start}-${end}`,
        );
      }
      assert.equal(await store.readBlob(secret.id, 2 * BLOB_BLOCK, 2 * BLOB_BLOCK + 501), undefined);
      for (const [start, end] of [
        [5, 5],
        [6, 5],
        [-1, 5],
        [0.5, 5],
        [0, MAX_READ + 1],
      ] as const) {
        await assert.rejects(store.readBlob(secret.id, start, end), RangeError);
      }
    });

    it("gives any range of a blob that came with the create", async () => {
      const { store } = fixture.current;
      const secret = newSecret();
      await store.create(secret);
      for (const [start, end] of [
        [0, 1_200],
        [0, 1],
        [17, 900],
        [1_199, 1_200],
      ] as const) {
        assert.deepEqual(await store.readBlob(secret.id, start, end), secret.blob.slice(start, end));
      }
      assert.equal(await store.readBlob(secret.id, 0, 1_201), undefined);
    });

    it("changes nothing after the seal", async () => {
      const { store, advance } = fixture.current;
      const { secret, blob } = newUpload(2_000);
      await uploadWhole(store, secret, blob);
      const before = await store.read(secret.id);
      await advance(10);
      const moved = await store.read(secret.id);
      const late = await store.writeBlob(secret.id, 0, bytes(2_000));
      assert.deepEqual(late, { kind: "sealed", expiresAt: moved?.expiresAt });
      const again = await store.sealUpload(secret.id);
      assert(again.kind === "sealed" && !again.first);
      assert.equal(again.expiresAt, moved?.expiresAt);
      assert.deepEqual(await store.read(secret.id), moved);
      assert.equal(before?.events.length, 1);
      assert.deepEqual(await readWhole(store, secret), blob);
      await store.open(openingOnce(secret));
      for (const result of [await store.writeBlob(secret.id, 0, blob), await store.sealUpload(secret.id)]) {
        assert(result.kind === "ended");
        assert.equal(result.state, "opened");
      }
    });

    it("throws for a size that is not the blob's", async () => {
      const { store } = fixture.current;
      for (const size of [-1, 1.5, Number.NaN, 2 ** 53]) {
        await assert.rejects(store.create(newUpload(1, { size }).secret), RangeError);
      }
      const secret = newSecret({ size: 1_199 });
      await assert.rejects(store.create(secret), RangeError);
      assert.equal(await store.read(secret.id), undefined);
    });

    it("answers the same create again, and refuses one that differs or has the blob with it", async () => {
      const { store, advance } = fixture.current;
      const { secret, blob } = newUpload(3_000);
      await store.create(secret);
      await sendPieces(store, secret.id, blob, [{ start: 0, end: 1_000 }]);
      const before = await store.read(secret.id);
      const again = await store.create(secret);
      assert.deepEqual(again, {
        kind: "created",
        existed: true,
        createdAt: before?.createdAt,
        expiresAt: before?.expiresAt,
      });
      for (const different of [{ size: 3_001 }, { ttl: seconds(999) }, { blob }]) {
        assert.deepEqual(await store.create({ ...secret, ...different }), { kind: "conflict" });
      }
      assert.deepEqual(await store.read(secret.id), before);
      await sendPieces(store, secret.id, blob, [{ start: 1_000, end: 3_000 }]);
      await store.sealUpload(secret.id);
      await advance(10);
      const late = await store.create(secret);
      assert(late.kind === "created" && late.existed);
      assert.equal((await store.read(secret.id))?.state, "sealed");
      assert.deepEqual((await store.open(opening(secret))).kind, "handed-over");
    });

    it("knows nothing of an id that was never created", async () => {
      const { store } = fixture.current;
      const { secret } = newUpload(1);
      assert.deepEqual(await store.writeBlob(secret.id, 0, bytes(1)), { kind: "missing" });
      assert.deepEqual(await store.sealUpload(secret.id), { kind: "missing" });
    });
  });
}
