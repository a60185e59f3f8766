import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { Delivery, Outbox, OutboxLimits, Taken } from "./outbox.ts";

/** An outbox under test, and time in its hands. */
export interface OutboxHarness {
  readonly outbox: Outbox;
  /** A second replica's view of the same queues. */
  another(): Promise<Outbox>;
  advance(seconds: number): Promise<void>;
  close(): Promise<void>;
}

const HOUR = 3_600_000;
export const SMALL: OutboxLimits = {
  maxQueued: 5,
  maxDead: 200,
  idle: 20_000,
  remembered: 24 * HOUR,
  kept: 12 * HOUR,
};

const ADDED = { added: 1, refused: [] };
const KNOWN = { added: 0, refused: [] };

let count = 0;
/** Destinations of its own for each test, so that none sees another's. */
const somewhere = () => `to-${++count}`;
function delivery(to: string, body = '{"label":"grüße \\" / \\u0000"}'): Delivery {
  return { key: `msg_${randomBytes(12).toString("base64url")}`, to, body };
}
const keysOf = (items: readonly Delivery[]) => items.map(({ key }) => key).sort();
const only = (items: readonly Taken[]): Taken => {
  assert.equal(items.length, 1);
  const [item] = items;
  assert(item);
  return item;
};

/** What every outbox promises; limits are `SMALL`. */
export function outboxContract(name: string, make: (limits: OutboxLimits) => Promise<OutboxHarness>): void {
  describe(`${name} keeps the outbox's contract`, () => {
    let harness: OutboxHarness;
    let outbox: Outbox;
    let other: Outbox;
    before(async () => {
      harness = await make(SMALL);
      outbox = harness.outbox;
      other = await harness.another();
    });
    after(() => harness?.close());

    it("gives what was added, byte for byte, as a first attempt, to whoever asks for that destination", async () => {
      const [to, elsewhere] = [somewhere(), somewhere()];
      const one = delivery(to);
      assert.deepEqual(await outbox.add([one]), ADDED);
      assert.deepEqual(await other.take(elsewhere, 10), []);
      const { entry, since, ...rest } = only(await other.take(to, 10));
      assert.deepEqual(rest, { ...one, attempt: 1 });
      assert(entry !== "" && Number.isSafeInteger(since));
    });

    it("adds a key once, whoever adds it and however often, also when it has been delivered", async () => {
      const to = somewhere();
      const one = delivery(to);
      const counts = await Promise.all([outbox, other, outbox].map((each) => each.add([one])));
      assert.deepEqual(counts.map(({ added }) => added).sort(), [0, 0, 1]);
      await outbox.done(only(await outbox.take(to, 10)));
      assert.deepEqual(await other.add([one]), KNOWN);
      assert.deepEqual(await other.take(to, 10), []);
    });

    it("forgets a key in the end", async () => {
      const one = delivery(somewhere());
      await outbox.add([one]);
      await outbox.done(only(await outbox.take(one.to, 1)));
      await harness.advance(23 * 3600);
      assert.deepEqual(await outbox.add([one]), KNOWN);
      await harness.advance(2 * 3600);
      assert.deepEqual(await outbox.add([one]), ADDED);
    });

    it("gives each entry to one of those who ask at the same time", async () => {
      const to = somewhere();
      const all = Array.from({ length: 5 }, () => delivery(to));
      await outbox.add(all);
      const asked = [outbox, other, outbox, other].map((each) => each.take(to, 2));
      const taken = (await Promise.all(asked)).flat();
      assert.deepEqual(keysOf(taken), keysOf(all));
      assert.deepEqual(await outbox.take(to, 5), []);
    });

    it("gives an entry that was taken and never settled to somebody else, after the time for it and not before", async () => {
      const to = somewhere();
      const all = Array.from({ length: 4 }, () => delivery(to));
      await outbox.add(all);
      assert.equal((await outbox.take(to, 4)).length, 4);
      await harness.advance(14);
      assert.deepEqual(await other.take(to, 4), []);
      await harness.advance(7);
      const late = delivery(to);
      await outbox.add([late]);
      const first = await other.take(to, 3);
      assert(!keysOf(first).includes(late.key));
      const second = await outbox.take(to, 3);
      assert.deepEqual(keysOf([...first, ...second]), keysOf([...all, late]));
      assert.deepEqual([...new Set(first.map(({ attempt }) => attempt))], [1]);
    });

    it("gives what was put off again when its time has come, once, as the next attempt", async () => {
      const to = somewhere();
      const one = delivery(to);
      await outbox.add([one]);
      const taken = only(await outbox.take(to, 1));
      await outbox.later(taken, 30_000, 2);
      assert.deepEqual(await outbox.stats(to), { ...(await outbox.stats(to)), queued: 0, delayed: 1 });
      await harness.advance(24);
      assert.deepEqual(await other.take(to, 1), []);
      await harness.advance(7);
      const again = (await Promise.all([outbox.take(to, 1), other.take(to, 1)])).flat();
      const { attempt, key, body, since } = only(again);
      assert.deepEqual(
        { attempt, key, body, since },
        { attempt: 2, key: one.key, body: one.body, since: taken.since },
      );
    });

    it("hears a second time that something was settled, and does nothing", async () => {
      const to = somewhere();
      await outbox.add([delivery(to)]);
      const taken = only(await outbox.take(to, 1));
      await outbox.done(taken);
      await outbox.done(taken);
      await other.later(taken, 0, 2);
      await other.bury(taken, "too late");
      await harness.advance(60);
      assert.deepEqual(await outbox.take(to, 1), []);
    });

    it("does not give what is buried, counts it, and keeps it for a while", async () => {
      const to = somewhere();
      const before = (await outbox.stats(to)).dead;
      await outbox.add([delivery(to)]);
      await outbox.bury(only(await outbox.take(to, 1)), "refused");
      await harness.advance(60);
      assert.deepEqual(await outbox.take(to, 1), []);
      assert.deepEqual(await outbox.stats(to), { queued: 0, delayed: 0, dead: before + 1 });
      await harness.advance(13 * 3600);
      assert.equal((await outbox.stats(to)).dead, 0);
    });

    it("keeps the latest dead letters only", async () => {
      const to = somewhere();
      for (let n = 0; n < 500; n++) {
        await outbox.add([delivery(to)]);
        await outbox.bury(only(await outbox.take(to, 1)), "refused");
      }
      // Not with each one that comes, but now and then.
      const { dead } = await outbox.stats(to);
      assert(dead >= 200 && dead < 400, `${dead}`);
    });

    it("refuses what is too much for one destination, whether it waits or is put off, and nobody else's", async () => {
      const [to, elsewhere] = [somewhere(), somewhere()];
      const all = Array.from({ length: 5 }, () => delivery(to));
      await outbox.add(all);
      const [taken] = await outbox.take(to, 1);
      assert(taken);
      await outbox.later(taken, 60_000, 2);
      const more = delivery(to);
      assert.deepEqual(await outbox.add([more, delivery(elsewhere)]), { added: 1, refused: [more] });
      assert.deepEqual(await outbox.add(all), KNOWN);
      const next = (await outbox.take(to, 1))[0];
      assert(next);
      await outbox.done(next);
      assert.deepEqual(await outbox.add([more]), ADDED);
    });
  });
}
