import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createShare, storedCiphertext } from "../envelope/tokens.ts";
import { anyDigest, bytes, newSecret, opening, readWhole, seconds } from "../testing/new-secret.ts";
import { LIMITS, type MakeStore, useStore } from "./contract-harness.ts";

export function createContract(makeStore: MakeStore): void {
  describe("creating and reading", () => {
    const fixture = useStore(makeStore);

    it("keeps a secret as it was given", async () => {
      const { store } = fixture.current;
      const secret = newSecret({ passphrase: true });
      const created = await store.create(secret);
      assert(created.kind === "created");
      assert.equal(created.existed, false);
      assert.equal(created.expiresAt - created.createdAt, secret.ttl * 1000);
      assert.deepEqual(await store.read(secret.id), {
        id: secret.id,
        linkHash: secret.linkHash,
        receiptHash: secret.receiptHash,
        state: "sealed",
        passphrase: true,
        size: secret.blob.length,
        createdAt: created.createdAt,
        expiresAt: created.expiresAt,
        triesLeft: LIMITS.passphraseTries,
        events: [{ at: created.createdAt, kind: "sealed" }],
      });
      assert.deepEqual(await readWhole(store, secret), secret.blob);
    });

    it("keeps every byte of a share and a blob, whatever its value", async () => {
      const { store } = fixture.current;
      const every = Uint8Array.from({ length: 70_000 }, (_, index) => (index * 7 + (index >> 8)) & 0xff);
      for (const fill of [0x00, 0x0a, 0x0d, 0xff]) {
        const share = createShare();
        share.fill(fill);
        const secret = newSecret({ share, blob: storedCiphertext(every) });
        await store.create(secret);
        assert.deepEqual(await readWhole(store, secret), every);
        const opened = await store.open(opening(secret));
        assert(opened.kind === "handed-over");
        assert.deepEqual(opened.share, share);
      }
    });

    it("answers the same create again with the first one's times", async () => {
      const { store, advance } = fixture.current;
      const secret = newSecret();
      await store.create(secret);
      await advance(10);
      const before = await store.read(secret.id);
      const again = await store.create(secret);
      assert.deepEqual(again, {
        kind: "created",
        existed: true,
        createdAt: before?.createdAt,
        expiresAt: before?.expiresAt,
      });
      assert.deepEqual(await store.read(secret.id), before);
    });

    it("refuses a create that differs in any field, and leaves the first one as it was", async () => {
      const { store } = fixture.current;
      const secret = newSecret();
      await store.create(secret);
      const before = await store.read(secret.id);
      const differences = [
        { linkHash: anyDigest() },
        { accessHash: anyDigest() },
        { receiptHash: anyDigest() },
        { share: createShare() },
        { blob: storedCiphertext(bytes(1_200)) },
        { ttl: seconds(secret.ttl + 1) },
        { passphrase: !secret.passphrase },
      ];
      for (const difference of differences) {
        assert.deepEqual(await store.create({ ...secret, ...difference }), { kind: "conflict" });
      }
      assert.deepEqual(await store.read(secret.id), before);
      assert.deepEqual(await readWhole(store, secret), secret.blob);
      const opened = await store.open(opening(secret));
      assert(opened.kind === "handed-over");
      assert.deepEqual(opened.share, secret.share);
    });

    it("does not bring a secret back that has ended", async () => {
      const { store } = fixture.current;
      const secret = newSecret();
      const other = newSecret({ id: secret.id });
      await store.create(secret);
      await store.delete(secret.id);
      const again = await store.create(secret);
      assert(again.kind === "created" && again.existed);
      assert.deepEqual(await store.create(other), { kind: "conflict" });
      assert.equal((await store.read(secret.id))?.state, "deleted");
      assert.equal(await readWhole(store, secret), undefined);
      assert.equal((await store.open(opening(secret))).kind, "ended");
    });

    for (const ttl of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, LIMITS.maxTtl + 1, 2 ** 53]) {
      it(`throws for a time to live of ${ttl} and keeps nothing`, async () => {
        const { store } = fixture.current;
        const secret = newSecret({ ttl: seconds(ttl) });
        const pending = await store.countPending();
        await assert.rejects(store.create(secret), RangeError);
        assert.equal(await store.read(secret.id), undefined);
        assert.equal(await store.countPending(), pending);
      });
    }

    it("takes the shortest and the longest time to live", async () => {
      const { store } = fixture.current;
      for (const ttl of [1, LIMITS.maxTtl]) {
        const created = await store.create(newSecret({ ttl: seconds(ttl) }));
        assert(created.kind === "created");
        assert.equal(created.expiresAt - created.createdAt, ttl * 1000);
      }
    });

    it("knows nothing of an id that was never created", async () => {
      const { store } = fixture.current;
      const secret = newSecret();
      const missing = { kind: "missing" };
      assert.equal(await store.read(secret.id), undefined);
      assert.equal(await readWhole(store, secret), undefined);
      assert.deepEqual(await store.open(opening(secret)), missing);
      assert.deepEqual(await store.acknowledge(secret.id, opening(secret).claim), missing);
      assert.deepEqual(await store.delete(secret.id), missing);
      assert.deepEqual(await store.unlock(secret.id), missing);
    });

    it("uses nothing up by reading", async () => {
      const { store } = fixture.current;
      const secret = newSecret();
      await store.create(secret);
      const before = await store.read(secret.id);
      await Promise.all(
        Array.from({ length: 100 }, (_, index) =>
          index % 2 === 0 ? store.read(secret.id) : readWhole(store, secret),
        ),
      );
      assert.deepEqual(await store.read(secret.id), before);
      assert.equal((await store.open(opening(secret))).kind, "handed-over");
    });

    it("keeps what it was given when the caller overwrites its own copy", async () => {
      const { store } = fixture.current;
      const secret = newSecret();
      const given = {
        ...secret,
        share: createShare(),
        blob: storedCiphertext(secret.blob.slice()),
      };
      given.share.set(secret.share);
      await store.create(given);
      given.share.fill(0);
      given.blob.fill(0);
      assert.deepEqual(await readWhole(store, secret), secret.blob);
      const opened = await store.open(opening(secret));
      assert(opened.kind === "handed-over");
      assert.deepEqual(opened.share, secret.share);
    });

    it("keeps what it has when the caller overwrites an answer", async () => {
      const { store } = fixture.current;
      const secret = newSecret();
      await store.create(secret);
      const record = await store.read(secret.id);
      record?.linkHash.fill(0);
      record?.receiptHash.fill(0);
      (await readWhole(store, secret))?.fill(0);
      const request = opening(secret);
      const first = await store.open(request);
      assert(first.kind === "handed-over");
      first.share.fill(0);
      const second = await store.open(request);
      assert(second.kind === "handed-over");
      assert.deepEqual(second.share, secret.share);
      assert.deepEqual(await readWhole(store, secret), secret.blob);
      assert.deepEqual((await store.read(secret.id))?.receiptHash, secret.receiptHash);
    });

    it("answers a ping, and finds nothing at start that keeps it from working", async () => {
      const { store } = fixture.current;
      await store.ping();
      assert((await store.check()).every((warning) => warning.endsWith(".")));
    });
  });
}
