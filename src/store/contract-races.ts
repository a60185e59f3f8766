import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  fingerprint,
  newSecret,
  opening,
  openingOnce,
  openingWrong,
  readWhole,
} from "../testing/new-secret.ts";
import { LIMITS, type MakeStore, useStore } from "./contract-harness.ts";
import type { OpenResult } from "./store.ts";

function times<T>(count: number, act: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => act(index)));
}

const kinds = (results: readonly { readonly kind: string }[], kind: string) =>
  results.filter((result) => result.kind === kind).length;

/** Fingerprints of what was handed over. */
const shares = (results: readonly OpenResult[]) =>
  results.flatMap((result) => (result.kind === "handed-over" ? [fingerprint(result.share)] : []));

export function raceContract(makeStore: MakeStore): void {
  describe("at the same time", () => {
    const fixture = useStore(makeStore);

    it("lets one of 200 openers win, through two replicas", async () => {
      const { store } = fixture.current;
      const other = await fixture.current.another();
      const secret = newSecret();
      await store.create(secret);
      const results = await times(200, (index) => (index % 2 ? store : other).open(opening(secret)));
      assert.deepEqual(shares(results), [fingerprint(secret.share)]);
      assert.equal(kinds(results, "ended"), 199);
      assert.equal((await store.read(secret.id))?.state, "opened");
    });

    it("lets one of 200 openers without a claim win, and of 200 with and without", async () => {
      const { store } = fixture.current;
      for (const mixed of [false, true]) {
        const secret = newSecret();
        await store.create(secret);
        const results = await times(200, (index) =>
          store.open(mixed && index % 2 ? opening(secret) : openingOnce(secret)),
        );
        assert.deepEqual(shares(results), [fingerprint(secret.share)]);
        assert.equal(kinds(results, "ended"), 199);
      }
    });

    it("gives every call of the winning claim the share, one of them as the first", async () => {
      const { store } = fixture.current;
      const other = await fixture.current.another();
      const secret = newSecret();
      await store.create(secret);
      const request = opening(secret);
      const results = await times(100, (index) => (index % 2 ? store : other).open(request));
      assert.deepEqual(new Set(shares(results)), new Set([fingerprint(secret.share)]));
      assert.equal(shares(results).length, 100);
      assert.equal(results.filter((result) => result.kind === "handed-over" && result.first).length, 1);
    });

    it("lets one of 100 different creates win, whole", async () => {
      const { store } = fixture.current;
      const other = await fixture.current.another();
      const { id } = newSecret();
      const secrets = Array.from({ length: 100 }, () => newSecret({ id }));
      const results = await Promise.all(
        secrets.map((secret, index) => (index % 2 ? store : other).create(secret)),
      );
      assert.equal(kinds(results, "conflict"), 99);
      const winner = secrets[results.findIndex(({ kind }) => kind === "created")];
      assert(winner);
      assert.deepEqual(await readWhole(store, winner), winner.blob);
      assert.deepEqual(await store.open(opening(winner)), {
        kind: "handed-over",
        share: winner.share,
        first: true,
      });
    });

    it("answers 100 identical creates alike, one of them as the first", async () => {
      const { store } = fixture.current;
      const other = await fixture.current.another();
      const secret = newSecret();
      const pending = await store.countPending();
      const results = await times(100, (index) => (index % 2 ? store : other).create(secret));
      assert.equal(results.filter((result) => result.kind === "created" && !result.existed).length, 1);
      const dates = results.map((result) =>
        result.kind === "created" ? `${result.createdAt} ${result.expiresAt}` : "",
      );
      assert.equal(new Set(dates).size, 1);
      assert.equal(await store.countPending(), pending + 1);
      assert.equal((await store.open(opening(secret))).kind, "handed-over");
    });

    it("counts exactly as many wrong passphrases as there are tries", async () => {
      const { store } = fixture.current;
      const secret = newSecret();
      await store.create(secret);
      const results = await times(100, () => store.open(openingWrong(secret)));
      const left = results.flatMap((result) =>
        result.kind === "wrong-passphrase" ? [result.triesLeft] : [],
      );
      assert.deepEqual(left.sort(), [0, 1, 2]);
      assert.equal(kinds(results, "locked"), 100 - LIMITS.passphraseTries);
      assert.equal((await store.read(secret.id))?.state, "locked");
    });

    it("either opens or locks when right and wrong passphrases race, and never both", async () => {
      const { store } = fixture.current;
      for (let round = 0; round < 20; round++) {
        const secret = newSecret();
        await store.create(secret);
        const results = await times(12, (index) =>
          store.open(index < 3 === round % 2 > 0 ? opening(secret) : openingWrong(secret)),
        );
        const state = (await store.read(secret.id))?.state;
        const wrong = kinds(results, "wrong-passphrase");
        if (state === "opened") {
          assert.equal(shares(results).length, 1);
          assert(wrong < LIMITS.passphraseTries);
          assert.equal(kinds(results, "locked"), 0);
        } else {
          assert.equal(state, "locked");
          assert.equal(shares(results).length, 0);
          assert.equal(wrong, LIMITS.passphraseTries);
        }
      }
    });

    it("either hands over or deletes when a sender and an opener race, and says which", async () => {
      const { store } = fixture.current;
      const other = await fixture.current.another();
      for (let round = 0; round < 60; round++) {
        const secret = newSecret();
        await store.create(secret);
        const open = () => other.open(round % 3 ? opening(secret) : openingOnce(secret));
        const opened =
          round % 2
            ? await Promise.all([open(), store.delete(secret.id)]).then(([result]) => result)
            : await Promise.all([store.delete(secret.id), open()]).then(([, result]) => result);
        const state = (await store.read(secret.id))?.state;
        assert.equal(state, opened.kind === "handed-over" ? "opened" : "deleted");
        assert.equal((await store.open(opening(secret))).kind, "ended");
      }
    });

    it("tells one of many senders that it was the one who deleted", async () => {
      const { store } = fixture.current;
      const secret = newSecret();
      await store.create(secret);
      const results = await times(50, () => store.delete(secret.id));
      assert.equal(kinds(results, "deleted"), 50);
      assert.equal(results.filter((result) => result.kind === "deleted" && result.first).length, 1);
    });

    it("gives nothing again once an acknowledgement was answered", async () => {
      const { store } = fixture.current;
      for (let round = 0; round < 20; round++) {
        const secret = newSecret();
        await store.create(secret);
        const request = opening(secret);
        await store.open(request);
        await Promise.all([
          store.open(request),
          store.acknowledge(secret.id, request.claim),
          store.open(request),
        ]);
        assert.equal((await store.open(request)).kind, "ended");
        assert.equal((await store.read(secret.id))?.state, "opened");
        assert.equal(await readWhole(store, secret), undefined);
      }
    });
  });
}
