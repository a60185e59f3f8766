import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SecretId } from "../envelope/tokens.ts";
import { newSecret, opening, openingOnce, openingWrong, seconds } from "../testing/new-secret.ts";
import { LIMITS, type MakeStore, useStore } from "./contract-harness.ts";
import { LOOK_LEASE, LOOK_SOON, TOLD_AT_ONCE } from "./looks.ts";
import type { NewSecret, Store } from "./store.ts";

const SOON = LOOK_SOON / 1000;
const LEASE = LOOK_LEASE / 1000;
/** Longer than an open may be taken back. */
const CERTAIN = LIMITS.redeliveryWindow + 100;

const told = () => newSecret({ sender: "somebody" });

async function sweep(store: Store): Promise<SecretId[]> {
  const ids: SecretId[] = [];
  await store.collectExpired(async (id) => {
    ids.push(id);
  });
  return ids;
}

async function create<T extends NewSecret[]>(store: Store, ...secrets: T): Promise<T> {
  for (const secret of secrets) await store.create(secret);
  return secrets;
}

const sendersOf = (store: Store, secrets: readonly NewSecret[]) =>
  Promise.all(secrets.map(async ({ id }) => (await store.read(id))?.sender));

async function lock(store: Store, secret: NewSecret): Promise<void> {
  for (let tries = 0; tries < LIMITS.passphraseTries; tries++) await store.open(openingWrong(secret));
}

export function followContract(makeStore: MakeStore): void {
  describe("following ends", () => {
    const fixture = useStore(makeStore, {}, true);

    it("calls for each end within seconds, and forgets the sender when that was told", async () => {
      const { store, advance } = fixture.current;
      const all = await create(store, told(), told(), told(), newSecret({ ttl: seconds(60), sender: "s" }));
      const [acknowledged, deleted, locked, expired] = all;
      const request = opening(acknowledged);
      await store.open(request);
      await store.acknowledge(acknowledged.id, request.claim);
      await lock(store, locked);
      await store.delete(locked.id);
      await store.delete(deleted.id);
      const three = [acknowledged, deleted, locked];
      assert.deepEqual(await sweep(store), []);
      await advance(SOON);
      assert.deepEqual((await sweep(store)).sort(), three.map(({ id }) => id).sort());
      assert.deepEqual(await sendersOf(store, all), [undefined, undefined, undefined, "s"]);
      await advance(60 - SOON);
      assert.deepEqual(await sweep(store), [expired.id]);
      assert.deepEqual(await sendersOf(store, [expired]), [undefined]);
      await advance(CERTAIN);
      assert.deepEqual(await sweep(store), []);
      for (const { id } of all) assert.notEqual((await store.read(id))?.endedAt, undefined);
    });

    it("tells soon of an open that nobody acknowledges, and forgets the sender in the end", async () => {
      const { store, advance } = fixture.current;
      const all = await create(store, told(), told());
      await store.open(opening(all[0]));
      await store.open(openingOnce(all[1]));
      await advance(SOON);
      assert.deepEqual((await sweep(store)).sort(), all.map(({ id }) => id).sort());
      await advance(CERTAIN);
      await sweep(store);
      assert.deepEqual(await sendersOf(store, all), [undefined, undefined]);
      await advance(CERTAIN);
      assert.deepEqual(await sweep(store), []);
      assert.equal(await store.countPending(), 0);
    });

    it("calls again for what it rejected for, and says once that it expired", async () => {
      const { store, advance } = fixture.current;
      const [deleted] = await create(store, told());
      await store.delete(deleted.id);
      await advance(SOON);
      const fault = new Error("nobody to tell");
      const failing = () => store.collectExpired(() => Promise.reject(fault));
      await assert.rejects(failing, fault);
      assert.deepEqual(await sendersOf(store, [deleted]), ["somebody"]);
      assert.deepEqual(await sweep(store), []);
      await advance(LEASE);
      assert.deepEqual(await sweep(store), [deleted.id]);
      assert.deepEqual(await sendersOf(store, [deleted]), [undefined]);

      const [expired] = await create(store, newSecret({ ttl: seconds(60), sender: "s" }));
      await advance(61);
      assert.deepEqual(await failing(), [expired.id]);
      assert.deepEqual(await sendersOf(store, [expired]), ["s"]);
      await advance(LEASE);
      const ids: SecretId[] = [];
      const reported = await store.collectExpired(async (id) => {
        ids.push(id);
      });
      assert.deepEqual([reported, ids], [[], [expired.id]]);
      assert.deepEqual(await sendersOf(store, [expired]), [undefined]);
    });

    it("calls for what happened to one that lives, which keeps its sender and its time", async () => {
      const { store, advance } = fixture.current;
      const [secret, visited] = await create(store, told(), told());
      const acts = [
        () => lock(store, secret),
        () => store.unlock(secret.id),
        () => store.note(secret.id, "refused-country", 0),
      ];
      for (const act of acts) {
        await act();
        await store.note(visited.id, "visited", 0);
        assert.deepEqual(await sweep(store), []);
        await advance(SOON);
        assert.deepEqual(await sweep(store), [secret.id]);
        await advance(CERTAIN);
        assert.deepEqual(await sweep(store), []);
      }
      assert.deepEqual(await sendersOf(store, [secret, visited]), ["somebody", "somebody"]);
      await advance(secret.ttl);
      assert.deepEqual((await sweep(store)).sort(), [secret.id, visited.id].sort());
    });

    it("looks again where something happens during the look", async () => {
      const { store, advance } = fixture.current;
      const [secret] = await create(store, told());
      await lock(store, secret);
      await advance(SOON);
      await store.collectExpired(async (id) => {
        await store.delete(id);
      });
      await advance(LEASE);
      assert.deepEqual(await sweep(store), [secret.id]);
      assert.deepEqual(await sendersOf(store, [secret]), [undefined]);
    });

    it("shares the work among all that sweep, a few at a time each", async () => {
      const { store, advance } = fixture.current;
      const other = await fixture.current.another();
      const secrets = await create(store, ...Array.from({ length: 120 }, told));
      for (const { id } of secrets) await store.delete(id);
      await advance(SOON);
      const ids: SecretId[] = [];
      let most = 0;
      const ask = async (asker: Store) => {
        let now = 0;
        await asker.collectExpired(async (id) => {
          ids.push(id);
          now += 1;
          most = Math.max(most, now);
          await store.ping();
          now -= 1;
        });
      };
      await Promise.all([ask(store), ask(other), ask(store)]);
      assert.deepEqual(ids.sort(), secrets.map(({ id }) => id).sort());
      assert(most > 1 && most <= TOLD_AT_ONCE, `${most} at once`);
      assert.equal(await store.countPending(), 0);
    });
  });

  describe("not following ends", () => {
    const fixture = useStore(makeStore);

    it("calls for nothing, and leaves the sender where it was", async () => {
      const { store, advance } = fixture.current;
      const [deleted, expired] = await create(store, told(), told());
      await store.delete(deleted.id);
      await advance(expired.ttl + 1);
      assert.deepEqual(await sweep(store), []);
      assert.deepEqual(await sendersOf(store, [deleted, expired]), ["somebody", "somebody"]);
    });
  });
}
