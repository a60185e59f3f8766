import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { newSecret, newUpload, opening, readWhole, seconds, uploadWhole } from "../testing/new-secret.ts";
import { cut, sendPieces } from "../testing/pieces.ts";
import { LIMITS, type MakeStore, useStore } from "./contract-harness.ts";
import { BLOB_BLOCK, UPLOAD_LIMITS } from "./store.ts";

export function uploadEndContract(makeStore: MakeStore): void {
  describe("an upload's end", () => {
    const fixture = useStore(makeStore);

    it("can't be opened, read, acknowledged or expired before the seal, as if it were not there", async () => {
      const { store, advance } = fixture.current;
      const { secret, blob } = newUpload(2_000, { ttl: seconds(60) });
      await store.create(secret);
      await sendPieces(store, secret.id, blob, [{ start: 0, end: 2_000 }]);
      assert.deepEqual(await store.open(opening(secret)), { kind: "missing" });
      assert.deepEqual(await store.acknowledge(secret.id, opening(secret).claim), { kind: "missing" });
      assert.equal(await store.readBlob(secret.id, 0, 1), undefined);
      assert.equal((await store.unlock(secret.id)).kind, "unlocked");
      await advance(100);
      assert.deepEqual(await store.collectExpired(), []);
      assert.equal((await store.read(secret.id))?.state, "uploading");
      assert.equal((await store.sealUpload(secret.id)).kind, "sealed");
      assert.equal((await store.open(opening(secret))).kind, "handed-over");
    });

    it("is deleted while it is uploading, and takes no more", async () => {
      const { store } = fixture.current;
      const { secret, blob } = newUpload(2 * BLOB_BLOCK);
      await store.create(secret);
      await sendPieces(store, secret.id, blob, cut(BLOB_BLOCK, 100_000));
      const deleted = await store.delete(secret.id);
      assert(deleted.kind === "deleted" && deleted.first && !deleted.wasSealed);
      const again = await store.delete(secret.id);
      assert.deepEqual(again, { ...deleted, first: false });
      const ended = { kind: "ended", state: "deleted", endedAt: deleted.endedAt };
      assert.deepEqual(await store.writeBlob(secret.id, 0, blob.subarray(0, 10)), ended);
      assert.deepEqual(await store.sealUpload(secret.id), ended);
      const record = await store.read(secret.id);
      assert.equal(record?.state, "deleted");
      assert.deepEqual(record?.events, [{ at: deleted.endedAt, kind: "deleted" }]);
      assert.equal(record?.upload, undefined);
      assert.deepEqual(await store.collectAbandoned(), []);
    });

    it("either seals or deletes when both come at once, and says which", async () => {
      const { store } = fixture.current;
      for (let round = 0; round < 20; round++) {
        const { secret, blob } = newUpload(1_000);
        await store.create(secret);
        const acts = [
          () => store.writeBlob(secret.id, 0, blob),
          () => store.sealUpload(secret.id),
          () => store.delete(secret.id),
        ];
        await Promise.all((round % 2 ? acts : acts.reverse()).map((act) => act()));
        assert.equal((await store.read(secret.id))?.state, "deleted");
        assert.equal(await readWhole(store, secret), undefined);
      }
    });

    it("is given up when no byte has come for a while, is reported once, and was never sealed", async () => {
      const { store, advance } = fixture.current;
      const other = await fixture.current.another();
      const { secret, blob } = newUpload(3_000);
      const pending = await store.countPending();
      await store.create(secret);
      await advance(UPLOAD_LIMITS.idle - 10);
      await sendPieces(store, secret.id, blob, [{ start: 0, end: 1_000 }]);
      await advance(UPLOAD_LIMITS.idle - 10);
      assert.deepEqual(await store.collectAbandoned(), []);
      assert.equal((await store.read(secret.id))?.state, "uploading");
      await advance(11);
      const record = await store.read(secret.id);
      assert.equal(record?.state, "expired");
      assert.deepEqual(record?.events, [{ at: record?.expiresAt, kind: "expired" }]);
      const ended = { kind: "ended", state: "expired", endedAt: record?.expiresAt };
      assert.deepEqual(await store.writeBlob(secret.id, 1_000, blob.subarray(1_000)), ended);
      assert.deepEqual(await store.sealUpload(secret.id), ended);
      const reports = await Promise.all([store.collectAbandoned(), other.collectAbandoned()]);
      assert.deepEqual(reports.flat(), [secret.id]);
      assert.deepEqual(await store.collectExpired(), []);
      assert.equal(await store.countPending(), pending);
      assert.deepEqual(await store.read(secret.id), record);
      assert.deepEqual(await store.delete(secret.id), ended);
    });

    it("is given up after its longest time even where bytes go on coming", async () => {
      const { store, advance } = fixture.current;
      const { secret, blob } = newUpload(1_000);
      await store.create(secret);
      const step = UPLOAD_LIMITS.idle - 100;
      for (let at = 0; (at + 1) * step < UPLOAD_LIMITS.longest; at++) {
        await advance(step);
        await sendPieces(store, secret.id, blob, [{ start: at, end: at + 1 }]);
      }
      const record = await store.read(secret.id);
      assert(record);
      assert.equal(record.expiresAt, record.createdAt + UPLOAD_LIMITS.longest * 1000);
      await advance(step);
      assert.equal((await store.read(secret.id))?.state, "expired");
      assert.deepEqual(await store.collectAbandoned(), [secret.id]);
    });

    it("runs out, is deleted and is acknowledged like any other", async () => {
      const { store, advance } = fixture.current;
      const uploads = [newUpload(BLOB_BLOCK + 1), newUpload(BLOB_BLOCK + 1), newUpload(BLOB_BLOCK + 1)];
      for (const { secret, blob } of uploads) await uploadWhole(store, secret, blob);
      const [deleted, acknowledged, expired] = uploads.map(({ secret }) => secret);
      assert(deleted && acknowledged && expired);
      assert.equal((await store.delete(deleted.id)).kind, "deleted");
      const request = opening(acknowledged);
      await store.open(request);
      assert.equal((await store.acknowledge(acknowledged.id, request.claim)).kind, "acknowledged");
      await advance(expired.ttl + 1);
      assert.deepEqual(await store.collectExpired(), [expired.id]);
      for (const secret of [deleted, acknowledged, expired]) {
        assert.equal(await store.readBlob(secret.id, 0, 1), undefined);
        assert.equal(await store.readBlob(secret.id, BLOB_BLOCK, BLOB_BLOCK + 1), undefined);
      }
    });

    it("can be fetched through the redelivery window and no longer", async () => {
      const { store, advance } = fixture.current;
      const { secret, blob } = newUpload(BLOB_BLOCK + 1);
      await uploadWhole(store, secret, blob);
      await store.open(opening(secret));
      await advance(LIMITS.redeliveryWindow - 5);
      assert.deepEqual(await readWhole(store, secret), blob);
      await advance(10);
      assert.equal(await store.readBlob(secret.id, 0, 1), undefined);
      assert.equal(await store.readBlob(secret.id, BLOB_BLOCK, BLOB_BLOCK + 1), undefined);
    });
  });

  describe("what unfinished uploads may declare together", () => {
    const uploads = { ...UPLOAD_LIMITS, maxBytes: 10_000 };
    const fixture = useStore(makeStore, { uploads });

    it("is refused beyond that, and free again when one is sealed, deleted or given up", async () => {
      const { store, advance } = fixture.current;
      const other = await fixture.current.another();
      const fits = async (size: number) => {
        const { secret } = newUpload(size);
        const begun = await other.create(secret).then(
          () => true,
          (error: unknown) => {
            assert(error instanceof Error);
            assert.equal(error.name, "UploadsFullError");
            return false;
          },
        );
        if (begun) await store.delete(secret.id);
        else assert.equal(await store.read(secret.id), undefined);
        return begun;
      };
      const [sealed, deleted, left] = [newUpload(4_000), newUpload(3_000), newUpload(2_000)];
      for (const { secret } of [sealed, deleted, left]) await store.create(secret);
      assert.equal(await fits(1_001), false);
      assert.equal(await fits(1_000), true);
      const again = await store.create(sealed.secret);
      assert(again.kind === "created" && again.existed);
      assert.equal(await fits(1_001), false);
      assert.deepEqual(await store.create({ ...sealed.secret, size: 900 }), { kind: "conflict" });
      assert.equal(await fits(1_000), true);

      await store.writeBlob(sealed.secret.id, 0, sealed.blob);
      await store.sealUpload(sealed.secret.id);
      assert.equal(await fits(5_001), false);
      assert.equal(await fits(5_000), true);
      await store.delete(deleted.secret.id);
      assert.equal(await fits(8_001), false);
      assert.equal(await fits(8_000), true);
      await advance(uploads.idle + 1);
      await store.collectAbandoned();
      assert.equal(await fits(10_001), false);
      assert.equal(await fits(10_000), true);
      assert.equal((await store.create(newSecret())).kind, "created");
    });
  });
}
