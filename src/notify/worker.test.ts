import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createMemoryOutbox } from "../store/memory-outbox.ts";
import { OUTBOX_LIMITS, type Outbox } from "../store/outbox.ts";
import { StoreUnavailableError } from "../store/store.ts";
import { until } from "../testing/until.ts";
import { type Channel, DeliveryError } from "./channel.ts";
import { createTestChannel, createTestLog } from "./testing.ts";
import { startWorker, type WorkerOptions } from "./worker.ts";

const EVENT = { kind: "opened", at: 5, secret: "f00d", label: "the label", email: "ann@example.org" };
const delivery = (key: string, to = "test") => ({ key, to, body: JSON.stringify(EVENT) });

function start(channels: readonly Channel[], outbox: Outbox, options: Partial<WorkerOptions> = {}) {
  const log = createTestLog();
  const counted: string[] = [];
  const trail: object[] = [];
  const worker = startWorker({
    outbox,
    channels,
    log,
    trail: { write: (record) => void trail.push(record) },
    count: (channel, outcome) => void counted.push(`${channel.name} ${outcome}`),
    ...options,
  });
  return { worker, log, counted, trail };
}
const never = () => new Promise<void>(() => {});

describe("Whoever delivers notifications", () => {
  it("delivers what is queued, with its key, once, and writes down that it did", async () => {
    const outbox = createMemoryOutbox();
    const channel = createTestChannel();
    await outbox.add([delivery("a")]);
    const { worker, counted, trail, log } = start([channel], outbox);
    await channel.hears(1);
    await outbox.add([delivery("b")]);
    worker.wake(["test"]);
    await channel.hears(2);
    await worker.close();
    assert.deepEqual(channel.asked, [
      { event: EVENT, key: "a", attempt: 1 },
      { event: EVENT, key: "b", attempt: 1 },
    ]);
    assert.deepEqual(counted, ["test delivered", "test delivered"]);
    const line = { audit: "notified", secret: "f00d", told: "opened", channel: "test", attempts: 1 };
    assert.deepEqual(trail, [line, line]);
    assert.deepEqual(log.lines, []);
    assert.deepEqual(await outbox.stats("test"), { queued: 0, delayed: 0, dead: 0 });
  });

  it("finds by itself what another replica queued", async () => {
    const outbox = createMemoryOutbox();
    const channel = createTestChannel();
    const { worker } = start([channel], outbox);
    await outbox.take("test", 1);
    await outbox.add([delivery("a")]);
    await channel.hears(1);
    await worker.close();
  });

  it("tries again later as the next attempt, and says once that it fails, with no label and no address", async () => {
    let now = Date.now();
    const outbox = createMemoryOutbox({ clock: () => now });
    const channel = createTestChannel({}, async ({ attempt }) => {
      if (attempt < 3) throw new DeliveryError("answered 503");
    });
    await outbox.add([delivery("a"), delivery("b")]);
    const { worker, counted, log } = start([channel], outbox);
    await until(async () => (await outbox.stats("test")).delayed === 2);
    assert.equal(channel.asked.length, 2);
    now += 6_500;
    worker.wake(["test"]);
    await channel.hears(4);
    await until(async () => (await outbox.stats("test")).delayed === 2);
    now += 37_000;
    worker.wake(["test"]);
    await channel.hears(6);
    await worker.close();
    const attempts = channel.asked.map(({ attempt }) => attempt);
    assert.deepEqual(attempts.sort(), [1, 1, 2, 2, 3, 3]);
    assert.deepEqual(counted.filter((what) => what === "test failed").length, 4);
    assert.deepEqual(
      log.lines.map(({ fields }) => fields),
      [{ channel: "test", attempt: 1, reason: "answered 503" }],
    );
  });

  it("waits as long as it is asked to", async () => {
    let now = Date.now();
    const outbox = createMemoryOutbox({ clock: () => now });
    const channel = createTestChannel({}, async () => {
      throw new DeliveryError("answered 429", { retryAfter: 100 });
    });
    await outbox.add([delivery("a")]);
    const { worker } = start([channel], outbox);
    await until(async () => (await outbox.stats("test")).delayed === 1);
    await worker.close();
    now += 99_000;
    assert.deepEqual(await outbox.take("test", 1), []);
    now += 1_001;
    assert.equal((await outbox.take("test", 1)).length, 1);
  });

  it("buries at once what no further attempt can help, and after a day what never succeeded", async () => {
    const outbox = createMemoryOutbox();
    const channel = createTestChannel({}, async ({ key }) => {
      throw new DeliveryError("answered 410", { permanent: key === "permanent" });
    });
    const long = createMemoryOutbox({ clock: () => Date.now() - 24 * 3_600_000 });
    await long.add([delivery("old")]);
    await outbox.add([delivery("permanent")]);
    const first = start([channel], outbox);
    const second = start([channel], long);
    await until(async () => (await outbox.stats("test")).dead === 1 && (await long.stats("test")).dead === 1);
    await Promise.all([first.worker.close(), second.worker.close()]);
    for (const { counted, trail, log } of [first, second]) {
      assert.deepEqual(counted, ["test failed", "test dead"]);
      assert.deepEqual(trail, [
        { audit: "notification-dead", secret: "f00d", told: "opened", channel: "test", attempts: 1 },
      ]);
      assert.deepEqual(
        log.lines.map(({ fields }) => fields),
        [{ channel: "test", attempt: 1, reason: "answered 410" }],
      );
    }
  });

  it("lets what it can't read wait for a version that can, buries it in the end, and delivers the rest", async () => {
    const bodies = ["{", "null", "[]", '{"kind":"sung","at":5,"secret":"f00d"}'];
    const fill = async (outbox: Outbox) => {
      await outbox.add(bodies.map((body, index) => ({ key: `odd-${index}`, to: "test", body })));
      await outbox.add([delivery("a")]);
    };
    const [outbox, long] = [
      createMemoryOutbox(),
      createMemoryOutbox({ clock: () => Date.now() - 24 * 3_600_000 }),
    ];
    await Promise.all([fill(outbox), fill(long)]);
    const [one, other] = [createTestChannel(), createTestChannel()];
    const workers = [start([one], outbox), start([other], long)];
    await Promise.all([one.hears(1), other.hears(1)]);
    await until(
      async () => (await outbox.stats("test")).delayed === 4 && (await long.stats("test")).dead === 4,
    );
    await Promise.all(workers.map(({ worker }) => worker.close()));
    for (const { trail } of workers) assert.equal(trail.length, 1);
    assert.deepEqual([one.asked.length, other.asked.length], [1, 1]);
  });

  it("gives up waiting for a destination that stalls, also where that one ignores it", async () => {
    const outbox = createMemoryOutbox();
    const channel = createTestChannel({}, never);
    await outbox.add([delivery("a")]);
    const { worker, log } = start([channel], outbox, { timeLimit: 20 });
    await until(async () => (await outbox.stats("test")).delayed === 1);
    await worker.close();
    assert.match(JSON.stringify(log.lines), /took too long/);
  });

  it("asks a destination for four at a time, and lets one that stalls keep nobody else waiting", async () => {
    const outbox = createMemoryOutbox();
    const stalling = createTestChannel({ name: "stalling" }, never);
    const fine = createTestChannel({ name: "fine" });
    const keys = Array.from({ length: 30 }, (_, index) => `${index}`);
    await outbox.add(keys.flatMap((key) => [delivery(`s${key}`, "stalling"), delivery(key, "fine")]));
    const { worker } = start([stalling, fine], outbox);
    await fine.hears(30);
    await stalling.hears(4);
    await worker.close();
    assert.equal(stalling.asked.length, 4);
  });

  it("gives back what is on its way when it is closed, as the attempt that it was", async () => {
    const outbox = createMemoryOutbox();
    const signals: AbortSignal[] = [];
    const channel = createTestChannel({}, (_, signal) => {
      signals.push(signal);
      return never();
    });
    await outbox.add([delivery("a"), delivery("b")]);
    const { worker, counted } = start([channel], outbox);
    await channel.hears(2);
    await worker.close();
    assert(signals.every(({ aborted }) => aborted));
    const again = await outbox.take("test", 5);
    assert.deepEqual(
      again.map(({ key, attempt }) => [key, attempt]),
      [
        ["a", 1],
        ["b", 1],
      ],
    );
    assert.deepEqual(counted, []);
  });

  it("lets what is on its way arrive before it is closed", async () => {
    const outbox = createMemoryOutbox();
    let arrive = () => {};
    const channel = createTestChannel(
      {},
      () =>
        new Promise((resolve) => {
          arrive = resolve;
        }),
    );
    await outbox.add([delivery("a")]);
    const { worker, counted } = start([channel], outbox);
    await channel.hears(1);
    const closed = worker.close();
    arrive();
    await closed;
    assert.deepEqual(counted, ["test delivered"]);
  });

  it("tries again to write down that something was delivered, which need not arrive twice for that", async () => {
    const inner = createMemoryOutbox();
    let tries = 0;
    const outbox: Outbox = {
      ...inner,
      async done(taken) {
        if (++tries < 3) throw new StoreUnavailableError();
        await inner.done(taken);
      },
    };
    const channel = createTestChannel();
    await inner.add([delivery("a")]);
    const { worker, counted } = start([channel], outbox);
    await until(() => counted.length === 1);
    await worker.close();
    assert.deepEqual([counted, channel.asked.length], [["test delivered"], 1]);
    assert.deepEqual(await inner.stats("test"), { queued: 0, delayed: 0, dead: 0 });
  });

  it("goes on when the outbox can be asked again, and has said once that it could not", async () => {
    const inner = createMemoryOutbox({ limits: { ...OUTBOX_LIMITS, idle: 1 } });
    let away = true;
    const asked = { takes: 0 };
    const outbox: Outbox = {
      ...inner,
      async take(to, count) {
        asked.takes++;
        if (away) throw new StoreUnavailableError();
        return inner.take(to, count);
      },
    };
    const channel = createTestChannel();
    await inner.add([delivery("a")]);
    const { worker, log } = start([channel], outbox);
    for (let n = 0; n < 3; n++) {
      worker.wake(["test"]);
      await new Promise(setImmediate);
    }
    assert(asked.takes > 1);
    away = false;
    worker.wake(["test"]);
    await channel.hears(1);
    await worker.close();
    assert.deepEqual(
      log.lines.map(({ level }) => level),
      ["warn"],
    );
  });
});
