import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  anyDigest,
  newSecret,
  opening,
  openingOnce,
  openingWrong,
  readWhole,
  seconds,
} from "../testing/new-secret.ts";
import { LIMITS, type MakeStore, useStore } from "./contract-harness.ts";
import { StoreUnavailableError } from "./store.ts";

export function openContract(makeStore: MakeStore): void {
  describe("opening", () => {
    const fixture = useStore(makeStore);

    it("hands the share over and remembers when", async () => {
      const { store } = fixture.current;
      const secret = newSecret();
      const created = await store.create(secret);
      const opened = await store.open(opening(secret));
      assert.deepEqual(opened, { kind: "handed-over", share: secret.share, first: true });
      const record = await store.read(secret.id);
      assert(record && created.kind === "created");
      assert.equal(record.state, "opened");
      assert(record.endedAt !== undefined && record.endedAt >= created.createdAt);
      assert.deepEqual(record.events, [
        { at: created.createdAt, kind: "sealed" },
        { at: record.endedAt, kind: "opened" },
      ]);
    });

    it("gives nobody else anything once it is opened", async () => {
      const { store } = fixture.current;
      const secret = newSecret();
      await store.create(secret);
      await store.open(opening(secret));
      const record = await store.read(secret.id);
      const ended = { kind: "ended", state: "opened", endedAt: record?.endedAt };
      assert.deepEqual(await store.open(opening(secret)), ended);
      assert.deepEqual(await store.open(openingOnce(secret)), ended);
      assert.deepEqual(await store.open(openingWrong(secret)), ended);
      assert.deepEqual(await store.read(secret.id), record);
    });

    it("gives the same claim the share again until the window ends", async () => {
      const { store, advance } = fixture.current;
      const secret = newSecret();
      await store.create(secret);
      const request = opening(secret);
      await store.open(request);
      await advance(LIMITS.redeliveryWindow - 5);
      assert.deepEqual(await store.open(request), { kind: "handed-over", share: secret.share, first: false });
      assert.deepEqual(await readWhole(store, secret), secret.blob);
      await advance(10);
      const late = await store.open(request);
      assert(late.kind === "ended");
      assert.equal(late.state, "opened");
      assert.equal(await readWhole(store, secret), undefined);
    });

    it("gives nothing to who saw it opened where it is sealed, and uses nothing up", async () => {
      const { store } = fixture.current;
      const secret = newSecret({ passphrase: true });
      await store.create(secret);
      for (const request of [opening(secret), openingOnce(secret), openingWrong(secret)]) {
        await assert.rejects(store.open({ ...request, again: true }), StoreUnavailableError);
      }
      const { state, events } = (await store.read(secret.id)) ?? {};
      assert.deepEqual([state, events?.length], ["sealed", 1]);
      const request = opening(secret);
      await store.open(request);
      const result = await store.open({ ...request, again: true });
      assert.deepEqual(result, { kind: "handed-over", share: secret.share, first: false });
    });

    it("asks for the access proof again before it gives the same claim anything", async () => {
      const { store } = fixture.current;
      const secret = newSecret();
      await store.create(secret);
      const request = opening(secret);
      await store.open(request);
      assert.equal((await store.open({ ...request, accessHash: anyDigest() })).kind, "ended");
      assert.equal((await store.open({ ...request, linkHash: anyDigest() })).kind, "missing");
      assert.equal((await store.open(request)).kind, "handed-over");
    });

    it("ends the window with the secret's own time", async () => {
      const { store, advance } = fixture.current;
      const secret = newSecret({ ttl: seconds(10) });
      await store.create(secret);
      const request = opening(secret);
      await store.open(request);
      await advance(11);
      const late = await store.open(request);
      assert(late.kind === "ended");
      assert.equal(late.state, "opened");
      assert.equal(await readWhole(store, secret), undefined);
    });

    it("hands the share over only once to somebody without a claim", async () => {
      const { store } = fixture.current;
      const secret = newSecret();
      await store.create(secret);
      assert.deepEqual(await store.open(openingOnce(secret)), {
        kind: "handed-over",
        share: secret.share,
        first: true,
      });
      for (const request of [openingOnce(secret), opening(secret)]) {
        const again = await store.open(request);
        assert(again.kind === "ended");
        assert.equal(again.state, "opened");
      }
      assert.equal(await readWhole(store, secret), undefined);
    });

    it("treats a wrong link proof as an unknown secret and counts nothing", async () => {
      const { store } = fixture.current;
      const secret = newSecret();
      await store.create(secret);
      const before = await store.read(secret.id);
      for (let attempt = 0; attempt <= LIMITS.passphraseTries; attempt++) {
        const request = { ...opening(secret), linkHash: anyDigest() };
        assert.deepEqual(await store.open(request), { kind: "missing" });
      }
      assert.deepEqual(await store.read(secret.id), before);
    });

    it("hands over one secret without touching another", async () => {
      const { store } = fixture.current;
      const [one, other] = [newSecret(), newSecret()];
      await store.create(one);
      await store.create(other);
      const { claim } = opening(one);
      await store.open({ ...opening(one), claim });
      assert.deepEqual(await store.acknowledge(other.id, claim), { kind: "refused" });
      assert.equal((await store.read(other.id))?.state, "sealed");
      assert.deepEqual(await store.open({ ...opening(other), claim }), {
        kind: "handed-over",
        share: other.share,
        first: true,
      });
    });
  });

  describe("opening with a window of 0", () => {
    const fixture = useStore(makeStore, { redeliveryWindow: 0 });

    it("gives the same claim nothing a second time, and takes its acknowledgement", async () => {
      const { store } = fixture.current;
      const secret = newSecret();
      await store.create(secret);
      const request = opening(secret);
      assert.equal((await store.open(request)).kind, "handed-over");
      const again = await store.open(request);
      assert(again.kind === "ended");
      assert.equal(again.state, "opened");
      assert.equal(await readWhole(store, secret), undefined);
      assert.deepEqual(await store.acknowledge(secret.id, request.claim), { kind: "acknowledged" });
    });
  });
}
