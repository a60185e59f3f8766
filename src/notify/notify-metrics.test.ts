import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Registry } from "prom-client";
import { createMemoryOutbox } from "../store/memory-outbox.ts";
import { StoreUnavailableError } from "../store/store.ts";
import { registerNotifications } from "./notify-metrics.ts";
import { createTestChannel } from "./testing.ts";

const hooks = ["one", "two"].map((name) => createTestChannel({ name }));
const mail = createTestChannel({ name: "mail", kind: "mail" });
const channels = [...hooks, mail];

async function seriesOf(registry: Registry): Promise<string[]> {
  const lines = (await registry.metrics()).split("\n");
  return lines.filter((line) => line !== "" && !line.startsWith("#"));
}

describe("Metrics of notifications", () => {
  it("count outcomes by the kind of destination, never by its name, from zero on", async () => {
    const registry = new Registry();
    const count = registerNotifications(registry, createMemoryOutbox(), channels);
    const [one, two] = hooks;
    assert(one && two);
    count(one, "delivered");
    count(two, "delivered");
    count(mail, "failed");
    const series = await seriesOf(registry);
    for (const line of [
      'waxseal_notifications_delivered_total{channel="webhook"} 2',
      'waxseal_notifications_delivered_total{channel="mail"} 0',
      'waxseal_notifications_failed_total{channel="mail"} 1',
      'waxseal_notifications_dead_total{channel="webhook"} 0',
      'waxseal_notifications_refused_total{channel="mail"} 0',
    ]) {
      assert(series.includes(line), line);
    }
  });

  it("say what waits, and nothing of it while the store does not answer", async () => {
    const registry = new Registry();
    const outbox = createMemoryOutbox();
    let away = false;
    const stats: typeof outbox.stats = async (to) => {
      if (away) throw new StoreUnavailableError();
      return outbox.stats(to);
    };
    registerNotifications(registry, { stats }, channels);
    const deliver = (to: string, key: string) => ({ to, key, body: "{}" });
    await outbox.add([deliver("one", "a"), deliver("one", "b"), deliver("two", "c"), deliver("mail", "d")]);
    const [first, second] = await outbox.take("one", 2);
    assert(first && second);
    await outbox.later(first, 60_000, 2);
    await outbox.bury(second, "refused");
    const gauges = async () => (await seriesOf(registry)).filter((line) => !line.includes("_total"));
    assert.deepEqual((await gauges()).sort(), [
      "waxseal_notifications_dead_letters 1",
      'waxseal_notifications_delayed{channel="mail"} 0',
      'waxseal_notifications_delayed{channel="webhook"} 1',
      'waxseal_notifications_queued{channel="mail"} 1',
      'waxseal_notifications_queued{channel="webhook"} 1',
    ]);
    away = true;
    assert.deepEqual(await gauges(), []);
  });
});
