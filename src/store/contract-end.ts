import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { newSecret, opening, openingWrong, readWhole, seconds } from "../testing/new-secret.ts";
import { LIMITS, type MakeStore, useStore } from "./contract-harness.ts";

export function endContract(makeStore: MakeStore): void {
  describe("deleting", () => {
    const fixture = useStore(makeStore);

    it("destroys a sealed secret once, and says the same when it is told again", async () => {
      const { store } = fixture.current;
      const secret = newSecret();
      await store.create(secret);
      const deleted = await store.delete(secret.id);
      assert(deleted.kind === "deleted" && deleted.first && deleted.wasSealed);
      assert.deepEqual(await store.delete(secret.id), { ...deleted, first: false });
      assert.equal(await readWhole(store, secret), undefined);
      const { endedAt } = deleted;
      assert.deepEqual(await store.open(opening(secret)), { kind: "ended", state: "deleted", endedAt });
      const record = await store.read(secret.id);
      assert.equal(record?.endedAt, endedAt);
      assert.deepEqual(record?.events.at(-1), { at: endedAt, kind: "deleted" });
    });

    it("destroys a locked secret", async () => {
      const { store } = fixture.current;
      const secret = newSecret();
      await store.create(secret);
      for (let attempt = 0; attempt < LIMITS.passphraseTries; attempt++)
        await store.open(openingWrong(secret));
      assert.equal((await store.delete(secret.id)).kind, "deleted");
      assert.equal((await store.read(secret.id))?.state, "deleted");
    });

    it("takes away the rest of the redelivery window, and leaves the end as it was", async () => {
      const { store } = fixture.current;
      const secret = newSecret();
      await store.create(secret);
      const request = opening(secret);
      await store.open(request);
      const before = await store.read(secret.id);
      const ended = { kind: "ended", state: "opened", endedAt: before?.endedAt };
      assert.deepEqual(await store.delete(secret.id), ended);
      assert.deepEqual(await store.delete(secret.id), ended);
      assert.equal(await readWhole(store, secret), undefined);
      assert.deepEqual(await store.open(request), ended);
      assert.deepEqual(await store.read(secret.id), before);
    });

    it("leaves an expired secret expired", async () => {
      const { store, advance } = fixture.current;
      const secret = newSecret();
      await store.create(secret);
      await advance(secret.ttl + 1);
      const record = await store.read(secret.id);
      const ended = { kind: "ended", state: "expired", endedAt: record?.expiresAt };
      assert.deepEqual(await store.delete(secret.id), ended);
      assert.deepEqual(await store.read(secret.id), record);
    });
  });

  describe("running out", () => {
    const fixture = useStore(makeStore);

    it("ends a secret at its time, and remembers that nobody opened it", async () => {
      const { store, advance } = fixture.current;
      const secret = newSecret({ ttl: seconds(100) });
      await store.create(secret);
      await advance(90);
      assert.equal((await store.read(secret.id))?.state, "sealed");
      assert.deepEqual(await readWhole(store, secret), secret.blob);
      await advance(11);
      const record = await store.read(secret.id);
      assert.equal(record?.state, "expired");
      assert.equal(record?.endedAt, record?.expiresAt);
      assert.deepEqual(record?.events.at(-1), { at: record?.expiresAt, kind: "expired" });
      assert.equal(await readWhole(store, secret), undefined);
      const ended = { kind: "ended", state: "expired", endedAt: record?.expiresAt };
      assert.deepEqual(await store.open(opening(secret)), ended);
      assert.deepEqual(await store.open(openingWrong(secret)), ended);
      assert.deepEqual(await store.read(secret.id), record);
    });

    it("reports each secret that ran out once, however many ask at the same time", async () => {
      const { store, advance } = fixture.current;
      const other = await fixture.current.another();
      await store.collectExpired();
      const secrets = Array.from({ length: 250 }, () => newSecret({ ttl: seconds(100) }));
      await Promise.all(secrets.map((secret) => store.create(secret)));
      const later = newSecret({ ttl: seconds(200) });
      await store.create(later);
      await advance(101);
      const reports = await Promise.all([store, other, store, other].map((asker) => asker.collectExpired()));
      const ids = secrets.map(({ id }) => id);
      const reported = reports.flat().filter((id) => id === later.id || ids.includes(id));
      assert.deepEqual(reported.sort(), ids.sort());
      assert.deepEqual(await store.collectExpired(), []);
      const record = await store.read(ids[0] ?? later.id);
      assert.equal(record?.state, "expired");
      assert.equal(record?.endedAt, record?.expiresAt);
      assert.equal(record?.events.length, 2);
      await advance(100);
      assert((await other.collectExpired()).includes(later.id));
    });

    it("reports as expired neither what was opened nor what was deleted", async () => {
      const { store, advance } = fixture.current;
      await store.collectExpired();
      const [opened, deleted, locked] = [newSecret(), newSecret(), newSecret()];
      for (const secret of [opened, deleted, locked]) await store.create(secret);
      await store.open(opening(opened));
      await store.delete(deleted.id);
      for (let attempt = 0; attempt < LIMITS.passphraseTries; attempt++)
        await store.open(openingWrong(locked));
      await advance(opened.ttl + 1);
      const ids = [opened, deleted, locked].map(({ id }) => id);
      const reported = await store.collectExpired();
      assert.deepEqual(
        reported.filter((id) => ids.includes(id)),
        [locked.id],
      );
      assert.equal((await store.read(opened.id))?.state, "opened");
      assert.equal((await store.read(deleted.id))?.state, "deleted");
    });

    it("counts what is sealed or locked now", async () => {
      const { store, advance } = fixture.current;
      await store.collectExpired();
      const pending = await store.countPending();
      const secrets = Array.from({ length: 5 }, () => newSecret());
      for (const secret of secrets) await store.create(secret);
      const [opened, deleted, locked, twice] = secrets;
      assert(opened && deleted && locked && twice);
      await store.create(twice);
      assert.equal(await store.countPending(), pending + 5);
      await store.open(opening(opened));
      await store.delete(deleted.id);
      for (let attempt = 0; attempt < LIMITS.passphraseTries; attempt++)
        await store.open(openingWrong(locked));
      assert.equal(await store.countPending(), pending + 3);
      await advance(locked.ttl + 1);
      await store.collectExpired();
      assert.equal(await store.countPending(), pending);
    });
  });

  describe("remembering", () => {
    const fixture = useStore(makeStore);

    it("keeps every end state for the retention, counted from the end, and then forgets", async () => {
      const { store, advance } = fixture.current;
      const [opened, deleted, expired] = [newSecret(), newSecret(), newSecret()];
      const all = [opened, deleted, expired];
      for (const secret of all) await store.create(secret);
      await advance(500);
      await store.open(opening(opened));
      await store.delete(deleted.id);
      const states = async () => Promise.all(all.map(async ({ id }) => (await store.read(id))?.state));

      await advance(LIMITS.retention - 10);
      assert.deepEqual(await states(), ["opened", "deleted", "expired"]);
      await advance(20);
      assert.deepEqual(await states(), [undefined, undefined, "expired"]);
      await advance(expired.ttl);
      assert.deepEqual(await states(), [undefined, undefined, undefined]);
      for (const { id } of all) assert.deepEqual(await store.delete(id), { kind: "missing" });
    });

    it("remembers an expired secret as long, whether or not somebody collected it", async () => {
      const { store, advance } = fixture.current;
      const [collected, unseen] = [newSecret(), newSecret({ ttl: seconds(1_030) })];
      await store.create(collected);
      await store.create(unseen);
      await advance(1_010);
      await store.collectExpired();
      await advance(LIMITS.retention - 20);
      assert.equal((await store.read(collected.id))?.state, "expired");
      await advance(20);
      assert.equal(await store.read(collected.id), undefined);
      assert.equal((await store.read(unseen.id))?.state, "expired");
      await advance(40);
      assert.equal(await store.read(unseen.id), undefined);
    });
  });
}
