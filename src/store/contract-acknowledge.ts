import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createClaim } from "../envelope/tokens.ts";
import { newSecret, opening, openingOnce, readWhole } from "../testing/new-secret.ts";
import { LIMITS, type MakeStore, useStore } from "./contract-harness.ts";

export function acknowledgeContract(makeStore: MakeStore): void {
  describe("acknowledging", () => {
    const fixture = useStore(makeStore);

    it("destroys share and ciphertext at once, and may be repeated", async () => {
      const { store } = fixture.current;
      const secret = newSecret();
      await store.create(secret);
      const request = opening(secret);
      await store.open(request);
      for (let call = 0; call < 3; call++) {
        assert.deepEqual(await store.acknowledge(secret.id, request.claim), { kind: "acknowledged" });
      }
      assert.equal(await readWhole(store, secret), undefined);
      const again = await store.open(request);
      assert(again.kind === "ended");
      assert.equal(again.state, "opened");
      const record = await store.read(secret.id);
      assert.deepEqual(
        record?.events.map(({ kind }) => kind),
        ["sealed", "opened", "received"],
      );
      assert.equal(record?.endedAt, record?.events[1]?.at);
    });

    it("refuses every claim but the one that was handed the share", async () => {
      const { store } = fixture.current;
      const secret = newSecret();
      await store.create(secret);
      const request = opening(secret);
      assert.deepEqual(await store.acknowledge(secret.id, request.claim), { kind: "refused" });
      await store.open(request);
      assert.deepEqual(await store.acknowledge(secret.id, createClaim()), { kind: "refused" });
      assert.deepEqual(await readWhole(store, secret), secret.blob);
      assert.equal((await store.open(request)).kind, "handed-over");
    });

    it("refuses when it was opened without a claim", async () => {
      const { store } = fixture.current;
      const secret = newSecret();
      await store.create(secret);
      await store.open(openingOnce(secret));
      assert.deepEqual(await store.acknowledge(secret.id, createClaim()), { kind: "refused" });
    });

    it("refuses when it ended in another way", async () => {
      const { store, advance } = fixture.current;
      const [deleted, expired] = [newSecret(), newSecret()];
      await store.create(deleted);
      await store.create(expired);
      await store.delete(deleted.id);
      await advance(expired.ttl + 1);
      assert.deepEqual(await store.acknowledge(deleted.id, createClaim()), { kind: "refused" });
      assert.deepEqual(await store.acknowledge(expired.id, createClaim()), { kind: "refused" });
    });

    it("is still taken when the window has ended", async () => {
      const { store, advance } = fixture.current;
      const secret = newSecret();
      await store.create(secret);
      const request = opening(secret);
      await store.open(request);
      await advance(LIMITS.redeliveryWindow + 5);
      assert.deepEqual(await store.acknowledge(secret.id, request.claim), { kind: "acknowledged" });
      assert.equal((await store.read(secret.id))?.events.at(-1)?.kind, "received");
    });
  });
}
