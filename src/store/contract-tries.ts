import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { newSecret, opening, openingWrong, readWhole } from "../testing/new-secret.ts";
import { LIMITS, type MakeStore, useStore } from "./contract-harness.ts";
import type { NewSecret, Store } from "./store.ts";

async function lock(store: Store, secret: NewSecret): Promise<void> {
  for (let left = LIMITS.passphraseTries - 1; left >= 0; left--) {
    assert.deepEqual(await store.open(openingWrong(secret)), { kind: "wrong-passphrase", triesLeft: left });
  }
}

export function tryContract(makeStore: MakeStore): void {
  describe("wrong passphrases", () => {
    const fixture = useStore(makeStore);

    it("leaves the secret sealed and says how many tries are left", async () => {
      const { store } = fixture.current;
      const secret = newSecret({ passphrase: true });
      await store.create(secret);
      const triesLeft = LIMITS.passphraseTries - 1;
      assert.deepEqual(await store.open(openingWrong(secret)), { kind: "wrong-passphrase", triesLeft });
      const record = await store.read(secret.id);
      assert.equal(record?.state, "sealed");
      assert.equal(record?.triesLeft, triesLeft);
      assert.deepEqual(
        record?.events.map(({ kind }) => kind),
        ["sealed", "wrong-passphrase"],
      );
      assert.deepEqual(await readWhole(store, secret), secret.blob);
      assert.equal((await store.open(opening(secret))).kind, "handed-over");
    });

    it("locks the secret at the limit, for the right passphrase too", async () => {
      const { store } = fixture.current;
      const secret = newSecret();
      await store.create(secret);
      await lock(store, secret);
      assert.deepEqual(await store.open(opening(secret)), { kind: "locked" });
      assert.deepEqual(await store.open(openingWrong(secret)), { kind: "locked" });
      const record = await store.read(secret.id);
      assert.equal(record?.state, "locked");
      assert.equal(record?.triesLeft, 0);
      assert.equal(record?.endedAt, undefined);
      assert.deepEqual(
        record?.events.map(({ kind }) => kind),
        ["sealed", "wrong-passphrase", "wrong-passphrase", "wrong-passphrase", "locked"],
      );
      assert.deepEqual(await readWhole(store, secret), secret.blob);
    });

    it("gives all tries back on unlock, and again after that", async () => {
      const { store } = fixture.current;
      const secret = newSecret();
      await store.create(secret);
      for (let round = 0; round < 2; round++) {
        await lock(store, secret);
        assert.deepEqual(await store.unlock(secret.id), {
          kind: "unlocked",
          triesLeft: LIMITS.passphraseTries,
        });
        assert.equal((await store.read(secret.id))?.state, "sealed");
      }
      assert.equal((await store.read(secret.id))?.events.at(-1)?.kind, "unlocked");
      assert.equal((await store.open(opening(secret))).kind, "handed-over");
    });

    it("has nothing to write down when a secret is unlocked that has all its tries", async () => {
      const { store } = fixture.current;
      const secret = newSecret();
      await store.create(secret);
      const before = await store.read(secret.id);
      assert.equal((await store.unlock(secret.id)).kind, "unlocked");
      assert.deepEqual(await store.read(secret.id), before);
    });

    it("does not unlock what has ended", async () => {
      const { store } = fixture.current;
      const secret = newSecret();
      await store.create(secret);
      await store.delete(secret.id);
      const record = await store.read(secret.id);
      const ended = { kind: "ended", state: "deleted", endedAt: record?.endedAt };
      assert.deepEqual(await store.unlock(secret.id), ended);
      assert.deepEqual(await store.read(secret.id), record);
    });

    it("lets a locked secret expire like any other", async () => {
      const { store, advance } = fixture.current;
      const secret = newSecret();
      await store.create(secret);
      await lock(store, secret);
      await advance(secret.ttl + 1);
      assert.equal((await store.read(secret.id))?.state, "expired");
      assert.equal((await store.unlock(secret.id)).kind, "ended");
      assert.equal((await store.open(opening(secret))).kind, "ended");
    });

    it("keeps the first and the latest events when there are very many", async () => {
      const { store } = fixture.current;
      const secret = newSecret();
      await store.create(secret);
      for (let round = 0; round < 50; round++) {
        await store.open(openingWrong(secret));
        await store.unlock(secret.id);
      }
      const kinds = (await store.read(secret.id))?.events.map(({ kind }) => kind) ?? [];
      assert.equal(kinds.length, 64);
      assert.deepEqual([kinds[0], ...kinds.slice(-2)], ["sealed", "wrong-passphrase", "unlocked"]);
    });
  });
}
