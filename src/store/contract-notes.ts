import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SecretId } from "../envelope/tokens.ts";
import { newSecret, newUpload, opening, openingWrong, seconds, uploadWhole } from "../testing/new-secret.ts";
import { LIMITS, type MakeStore, useStore } from "./contract-harness.ts";
import { MAX_EVENTS, MAX_NOTES } from "./record.ts";
import type { NoteKind, Store } from "./store.ts";

const KINDS: readonly NoteKind[] = [
  "visited",
  "refused-network",
  "refused-country",
  "refused-not-yet",
  "refused-hours",
];
/** Milliseconds. */
const QUIET = 60_000;

const kindsOf = async (store: Store, id: SecretId) =>
  (await store.read(id))?.events.map(({ kind }) => kind) ?? [];

export function noteContract(makeStore: MakeStore): void {
  describe("noting", () => {
    const fixture = useStore(makeStore);

    it("adds an event and changes nothing else, whether the secret is sealed or locked", async () => {
      const { store, advance } = fixture.current;
      const { secret: upload, blob } = newUpload(3_000);
      const whole = newSecret();
      await store.create(whole);
      await uploadWhole(store, upload, blob);
      for (const { id } of [whole, upload]) {
        for (const kind of KINDS) {
          await advance(1);
          const { events: earlier, ...before } = (await store.read(id)) ?? {};
          assert.deepEqual(await store.note(id, kind, QUIET), { kind: "noted" });
          const { events, ...after } = (await store.read(id)) ?? {};
          assert.deepEqual(events?.slice(0, -1), earlier);
          assert.equal(events?.at(-1)?.kind, kind);
          assert.deepEqual(after, before);
        }
      }
      for (let tries = 0; tries < LIMITS.passphraseTries; tries++) await store.open(openingWrong(whole));
      await advance(QUIET / 1000);
      assert.deepEqual(await store.note(whole.id, "visited", QUIET), { kind: "noted" });
      assert.equal((await store.read(whole.id))?.state, "locked");
      assert.equal((await store.open(opening(upload))).kind, "handed-over");
    });

    it("is quiet while an event of the kind is young, and of that kind only", async () => {
      const { store, advance } = fixture.current;
      const { id } = newSecret();
      await store.create(newSecret({ id }));
      const calls = Array.from({ length: 20 }, () => store.note(id, "visited", QUIET));
      const results = await Promise.all(calls);
      assert.equal(results.filter(({ kind }) => kind === "noted").length, 1);
      assert.equal(results.filter(({ kind }) => kind === "quiet").length, 19);
      assert.deepEqual(await store.note(id, "refused-hours", QUIET), { kind: "noted" });
      await advance(QUIET / 1000 - 10);
      assert.deepEqual(await store.note(id, "visited", QUIET), { kind: "quiet" });
      assert.deepEqual(await store.note(id, "visited", QUIET / 2), { kind: "noted" });
      await advance(11);
      assert.deepEqual(await store.note(id, "visited", QUIET), { kind: "quiet" });
      assert.deepEqual(await store.note(id, "refused-hours", QUIET), { kind: "noted" });
      const kinds = ["sealed", "visited", "refused-hours", "visited", "refused-hours"];
      assert.deepEqual(await kindsOf(store, id), kinds);
    });

    it("says what has ended, and knows nothing of uploads and of what never was", async () => {
      const { store, advance } = fixture.current;
      const [opened, deleted, expired] = [newSecret(), newSecret(), newSecret({ ttl: seconds(100) })];
      for (const secret of [opened, deleted, expired]) await store.create(secret);
      await store.open(opening(opened));
      await store.delete(deleted.id);
      const { secret: upload } = newUpload(3_000);
      await store.create(upload);
      assert.deepEqual(await store.note(upload.id, "visited", QUIET), { kind: "missing" });
      assert.deepEqual((await store.read(upload.id))?.events, []);
      await advance(101);
      for (const { id } of [opened, deleted, expired]) {
        const before = await store.read(id);
        const ended = { kind: "ended", state: before?.state, endedAt: before?.endedAt };
        assert.deepEqual(await store.note(id, "visited", QUIET), ended);
        assert.deepEqual(await store.read(id), before);
      }
      assert.deepEqual(await store.note(newSecret().id, "visited", QUIET), { kind: "missing" });
    });

    it("keeps the latest notes, and lets neither those nor other events push each other out", async () => {
      const { store, advance } = fixture.current;
      const secret = newSecret();
      await store.create(secret);
      await store.note(secret.id, "refused-country", QUIET);
      for (let tries = 0; tries < LIMITS.passphraseTries; tries++) await store.open(openingWrong(secret));
      for (let count = 0; count < MAX_NOTES - 1; count++) await store.note(secret.id, "visited", 0);
      const wrong = Array.from({ length: LIMITS.passphraseTries }, () => "wrong-passphrase");
      const other = ["sealed", ...wrong, "locked"];
      const notes = (kinds: readonly string[]) => kinds.filter((kind) => KINDS.some((note) => note === kind));
      const others = (kinds: readonly string[]) =>
        kinds.filter((kind) => !KINDS.some((note) => note === kind));
      let kinds: readonly string[] = await kindsOf(store, secret.id);
      assert.equal(notes(kinds).length, MAX_NOTES);
      assert(kinds.includes("refused-country"));
      assert.deepEqual(others(kinds), other);

      for (let count = 0; count < 2 * MAX_NOTES; count++) await store.note(secret.id, "visited", 0);
      kinds = await kindsOf(store, secret.id);
      assert.equal(notes(kinds).length, MAX_NOTES);
      assert(!kinds.includes("refused-country"));
      assert.deepEqual(others(kinds), other);

      await advance(10);
      for (let round = 0; round < MAX_EVENTS; round++) {
        await store.unlock(secret.id);
        await store.open(openingWrong(secret));
      }
      await store.note(secret.id, "refused-hours", 0);
      await store.delete(secret.id);
      kinds = await kindsOf(store, secret.id);
      assert.equal(notes(kinds).length, MAX_NOTES);
      assert.equal(kinds[0], "sealed");
      assert.equal(kinds.at(-1), "deleted");
      assert(kinds.includes("refused-hours"));
    });

    it("stands in the order of time among the other events, before an end of the same moment", async () => {
      const { store, advance } = fixture.current;
      const secret = newSecret({ ttl: seconds(100) });
      await store.create(secret);
      await advance(10);
      await store.note(secret.id, "visited", QUIET);
      await advance(10);
      await store.open(openingWrong(secret));
      await advance(10);
      await store.note(secret.id, "refused-network", QUIET);
      await advance(100);
      const kinds = ["sealed", "visited", "wrong-passphrase", "refused-network", "expired"];
      assert.deepEqual(await kindsOf(store, secret.id), kinds);
      await store.collectExpired();
      assert.deepEqual(await kindsOf(store, secret.id), kinds);
      const times = (await store.read(secret.id))?.events.map(({ at }) => at);
      assert.deepEqual(
        times,
        times?.toSorted((a, b) => a - b),
      );
    });
  });
}
