import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fingerprint } from "../audit/fingerprint.ts";
import { createMemoryStore } from "../store/memory.ts";
import { createMemoryOutbox } from "../store/memory-outbox.ts";
import { type Delivery, OUTBOX_LIMITS, type Taken } from "../store/outbox.ts";
import { StoreUnavailableError } from "../store/store.ts";
import { newSecret, opening, openingWrong } from "../testing/new-secret.ts";
import { TEST_LIMITS } from "../testing/open-redis-store.ts";
import { createTeller, type TellerOptions } from "./teller.ts";
import { createTestChannel, createTestLog } from "./testing.ts";

function setUp(options: Partial<TellerOptions> = {}) {
  const store = createMemoryStore({ limits: TEST_LIMITS, maxBytes: 2 ** 24, followEnds: true });
  const outbox = createMemoryOutbox();
  const log = createTestLog();
  const woken: string[] = [];
  const refused: string[] = [];
  const channel = createTestChannel({ wants: ({ kind }) => kind !== "created" });
  const teller = createTeller({
    read: (id) => store.read(id),
    outbox,
    channels: [channel],
    nameOf: fingerprint,
    log,
    onAdded: (to) => void woken.push(...to),
    onRefused: ({ name }) => void refused.push(name),
    ...options,
  });
  const kinds = (items: readonly (Delivery | Taken)[]) => items.map(({ body }) => JSON.parse(body).kind);
  const queued = async () => kinds(await outbox.take("test", 100));
  return { store, outbox, log, teller, woken, refused, queued, kinds };
}

describe("Whoever tells what becomes of a secret", () => {
  it("queues an event once, however often it hears of it and from whomever", async (t) => {
    const { store, teller, woken, queued } = setUp();
    t.after(() => store.close());
    const secret = newSecret();
    await store.create(secret);
    await store.open(opening(secret));
    for (let n = 0; n < 5; n++) teller.tell(secret.id);
    await teller.tellNow(secret.id);
    await teller.close();
    assert.deepEqual(await queued(), ["opened"]);
    assert.deepEqual(woken, ["test"]);
  });

  it("queues what happened while it was looking, too", async (t) => {
    const { store, queued, teller } = setUp();
    t.after(() => store.close());
    const secret = newSecret();
    await store.create(secret);
    await store.open(openingWrong(secret));
    teller.tell(secret.id);
    await store.delete(secret.id);
    teller.tell(secret.id);
    await teller.tellNow(newSecret().id);
    await new Promise(setImmediate);
    await teller.close();
    assert.deepEqual((await queued()).sort(), ["deleted", "wrong-passphrase"]);
  });

  it("says who opened a secret, where it was told", async (t) => {
    const { store, outbox, teller } = setUp();
    t.after(() => store.close());
    const secret = newSecret();
    await store.create(secret);
    teller.tell(secret.id);
    await store.open(opening(secret));
    teller.noteOpener(secret.id, "192.0.2.7");
    teller.tell(secret.id);
    await new Promise(setImmediate);
    await teller.close();
    const [item] = await outbox.take("test", 1);
    assert.equal(JSON.parse(item?.body ?? "{}").address, "192.0.2.7");
  });

  it("looks at a few records at a time, and at each in its turn", async (t) => {
    let [now, most] = [0, 0];
    const store = createMemoryStore({ limits: TEST_LIMITS, maxBytes: 2 ** 24 });
    t.after(() => store.close());
    const seen: string[] = [];
    const { teller } = setUp({
      async read(id) {
        most = Math.max(most, ++now);
        await new Promise(setImmediate);
        now--;
        seen.push(id);
        return undefined;
      },
    });
    const ids = Array.from({ length: 50 }, () => newSecret().id);
    for (const id of ids) teller.tell(id);
    while (seen.length < 50) await new Promise(setImmediate);
    assert.deepEqual(seen, ids);
    assert.equal(most, 4);
  });

  it("throws nothing at those who act, says an outage once, and goes on when it is over", async (t) => {
    let away = true;
    const { store, outbox, log, queued, teller } = setUp({
      outbox: {
        async add(deliveries) {
          if (away) throw new StoreUnavailableError();
          return outbox.add(deliveries);
        },
      },
    });
    t.after(() => store.close());
    const secrets = [newSecret(), newSecret(), newSecret()];
    for (const secret of secrets) {
      await store.create(secret);
      await store.delete(secret.id);
      teller.tell(secret.id);
      await new Promise(setImmediate);
    }
    const [one] = secrets;
    assert(one);
    await assert.rejects(teller.tellNow(one.id), StoreUnavailableError);
    assert.deepEqual(
      log.lines.map(({ level }) => level),
      ["warn"],
    );
    assert(!JSON.stringify(log.lines).includes(one.id));
    away = false;
    for (const { id } of secrets) teller.tell(id);
    await new Promise(setImmediate);
    await teller.close();
    assert.equal((await queued()).length, 3);
  });

  it("drops what a full queue does not take, counts it, says it once and lets the secret go", async (t) => {
    const small = createMemoryOutbox({ limits: { ...OUTBOX_LIMITS, maxQueued: 1 } });
    const { store, log, refused, teller } = setUp({ outbox: small });
    t.after(() => store.close());
    for (let n = 0; n < 3; n++) {
      const secret = newSecret();
      await store.create(secret);
      await store.delete(secret.id);
      await teller.tellNow(secret.id);
    }
    assert.deepEqual(refused, ["test", "test"]);
    assert.deepEqual(
      log.lines.map(({ fields }) => fields),
      [{ channels: ["test"] }],
    );
  });

  it("begins nothing any more when it is closed", async (t) => {
    const { store, queued, teller } = setUp();
    t.after(() => store.close());
    const secret = newSecret();
    await store.create(secret);
    await store.delete(secret.id);
    await teller.close();
    teller.tell(secret.id);
    await new Promise(setImmediate);
    assert.deepEqual(await queued(), []);
  });
});
