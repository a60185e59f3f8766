import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { bytes, fingerprint, newUpload, readWhole } from "../testing/new-secret.ts";
import { cut, sendPieces } from "../testing/pieces.ts";
import { type MakeStore, useStore } from "./contract-harness.ts";
import { BLOB_BLOCK, type ByteSpan, MAX_HELD_SPANS } from "./store.ts";

export function pieceContract(makeStore: MakeStore): void {
  describe("the pieces of a blob", () => {
    const fixture = useStore(makeStore);

    it("takes its pieces in any order, overlapping and repeated, and says what is missing", async () => {
      const { store } = fixture.current;
      const { secret, blob } = newUpload(3_000);
      await store.create(secret);
      const missing = async () => (await store.read(secret.id))?.upload?.missing;
      await sendPieces(store, secret.id, blob, [{ start: 2_000, end: 2_500 }]);
      assert.deepEqual(await missing(), [
        { start: 0, end: 2_000 },
        { start: 2_500, end: 3_000 },
      ]);
      await sendPieces(store, secret.id, blob, [
        { start: 100, end: 200 },
        { start: 300, end: 400 },
        { start: 150, end: 350 },
        { start: 150, end: 350 },
      ]);
      assert.deepEqual(await missing(), [
        { start: 0, end: 100 },
        { start: 400, end: 2_000 },
        { start: 2_500, end: 3_000 },
      ]);
      assert.deepEqual(await store.sealUpload(secret.id), { kind: "incomplete" });
      await sendPieces(store, secret.id, blob, [
        { start: 400, end: 2_000 },
        { start: 2_500, end: 3_000 },
      ]);
      const last = await store.writeBlob(secret.id, 0, blob.subarray(0, 3_000));
      assert(last.kind === "written" && last.complete);
      assert.equal(last.received, 3_000);
      assert.equal((await store.sealUpload(secret.id)).kind, "sealed");
      assert.deepEqual(await readWhole(store, secret), blob);
    });

    it("keeps the first bytes that were stored for a place", async () => {
      const { store } = fixture.current;
      const size = 2 * BLOB_BLOCK;
      const { secret, blob } = newUpload(size);
      const other = bytes(size);
      await store.create(secret);
      const early: ByteSpan[] = [
        { start: 10, end: 100 },
        { start: BLOB_BLOCK - 50, end: BLOB_BLOCK + 50 },
        { start: size - 1, end: size },
      ];
      await sendPieces(store, secret.id, blob, early);
      await sendPieces(store, secret.id, other, [...cut(size, BLOB_BLOCK), ...cut(size, 300_000)]);
      await store.sealUpload(secret.id);
      const expected = other.slice();
      for (const { start, end } of early) expected.set(blob.subarray(start, end), start);
      const read = await readWhole(store, secret);
      assert(read);
      assert.equal(fingerprint(read), fingerprint(expected));
    });

    it("arrives whole from many senders at the same time, through two replicas", async () => {
      const { store } = fixture.current;
      const other = await fixture.current.another();
      const { secret, blob } = newUpload(3 * BLOB_BLOCK + 7);
      await store.create(secret);
      const spans = [...cut(blob.length, 200_000), ...cut(blob.length, 500_000)];
      const results = await Promise.all(
        spans.map(({ start, end }, index) =>
          (index % 2 ? store : other).writeBlob(secret.id, start, blob.subarray(start, end)),
        ),
      );
      assert(results.every(({ kind }) => kind === "written"));
      const seals = await Promise.all(
        Array.from({ length: 20 }, (_, index) => (index % 2 ? store : other).sealUpload(secret.id)),
      );
      assert.equal(seals.filter((seal) => seal.kind === "sealed").length, 20);
      assert.equal(seals.filter((seal) => seal.kind === "sealed" && seal.first).length, 1);
      assert.equal(new Set(seals.map((seal) => seal.kind === "sealed" && seal.expiresAt)).size, 1);
      const read = await readWhole(store, secret);
      assert(read);
      assert.equal(fingerprint(read), fingerprint(blob));
    });

    it("refuses what is scattered too widely, and takes it once the gaps are filled", async () => {
      const { store } = fixture.current;
      const { secret, blob } = newUpload(1_000);
      await store.create(secret);
      const dots = Array.from({ length: MAX_HELD_SPANS }, (_, index) => ({
        start: index * 10,
        end: index * 10 + 1,
      }));
      await sendPieces(store, secret.id, blob, dots);
      const before = await store.read(secret.id);
      assert.deepEqual(await store.writeBlob(secret.id, 900, blob.subarray(900, 901)), { kind: "scattered" });
      assert.deepEqual(await store.read(secret.id), before);
      await sendPieces(store, secret.id, blob, [
        { start: 0, end: 20 },
        { start: 900, end: 901 },
        { start: 0, end: 1_000 },
      ]);
      assert.equal((await store.sealUpload(secret.id)).kind, "sealed");
      assert.deepEqual(await readWhole(store, secret), blob);
    });

    it("throws for a piece that is too long or outside, and keeps nothing of it", async () => {
      const { store } = fixture.current;
      const { secret } = newUpload(2 * BLOB_BLOCK);
      await store.create(secret);
      const pieces = [
        [0, BLOB_BLOCK + 1],
        [2 * BLOB_BLOCK - 1, 2],
        [2 * BLOB_BLOCK + 1, 0],
        [-1, 1],
        [0.5, 1],
      ] as const;
      for (const [offset, length] of pieces) {
        await assert.rejects(store.writeBlob(secret.id, offset, bytes(length)), RangeError);
      }
      assert.equal((await store.read(secret.id))?.upload?.received, 0);
    });

    it("comes out as it went in, however it is cut, and in whatever order", async () => {
      const { store } = fixture.current;
      const size = 2 * BLOB_BLOCK + 1_000;
      // Near the borders of blocks more often than chance would have it.
      const place = fc.oneof(
        fc.nat({ max: size }),
        fc
          .tuple(fc.constantFrom(0, BLOB_BLOCK, 2 * BLOB_BLOCK, size), fc.integer({ min: -2, max: 2 }))
          .map(([border, by]) => Math.min(size, Math.max(0, border + by))),
      );
      const piece = fc.tuple(place, place).map(([a, b]) => {
        const start = Math.min(a, b);
        return { start, end: Math.min(Math.max(a, b), start + BLOB_BLOCK) };
      });
      await fc.assert(
        fc.asyncProperty(fc.array(piece, { maxLength: 12 }), fc.nat(), async (spans, seed) => {
          const { secret, blob } = newUpload(size);
          await store.create(secret);
          const rest = cut(size, 100_000 + (seed % 400_000));
          const held = new Uint8Array(size);
          for (const { start, end } of seed % 2 ? [...spans, ...rest] : [...spans, ...rest.reverse()]) {
            const result = await store.writeBlob(secret.id, start, blob.subarray(start, end));
            held.fill(1, start, end);
            assert(result.kind === "written");
            assert.equal(
              result.received,
              held.reduce((sum, one) => sum + one, 0),
            );
            assert.equal(result.complete, result.received === size);
          }
          assert.equal((await store.sealUpload(secret.id)).kind, "sealed");
          const read = await readWhole(store, secret);
          assert(read);
          assert.equal(fingerprint(read), fingerprint(blob));
          await store.delete(secret.id);
        }),
        { numRuns: 15 },
      );
    });
  });
}
