import assert from "node:assert/strict";
import { describe, it } from "node:test";
import supertest from "supertest";
import { createMemoryStore } from "../store/memory.ts";
import { sealSecret } from "../testing/sealed-secret.ts";
import { createTestApp, type TestApp } from "../testing/test-app.ts";
import { startExpiryWatch } from "./expiry-watch.ts";
import { instrumentStore } from "./instrument-store.ts";
import { createMetrics } from "./metrics.ts";
import { createMetricsApp } from "./metrics-app.ts";

const scrape = async ({ metrics }: Pick<TestApp, "metrics">) =>
  (await supertest(createMetricsApp(metrics)).get("/metrics").expect(200)).text;

/** The value of a series, written as in the exposition format. */
function valueIn(text: string, series: string): number | undefined {
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

describe("Metrics", () => {
  it("count what became of secrets, once each", async () => {
    const app = createTestApp({ env: { PASSPHRASE_TRIES: "2" } });
    const [opened, deleted, locked] = [
      await sealSecret(),
      await sealSecret(),
      await sealSecret({ passphrase: "x" }),
    ];
    for (const secret of [opened, deleted, locked]) await app.create(secret);
    await app.create(opened);
    for (let i = 0; i < 2; i++) await app.open(opened);
    for (let i = 0; i < 2; i++) await app.http.delete("/api/v1/receipt/secret").set(app.asReceipt(deleted));
    for (let i = 0; i < 4; i++) await app.open(locked, { access: locked.wrongAccess });
    const text = await scrape(app);
    for (const [name, count] of Object.entries({
      waxseal_secrets_created_total: 3,
      waxseal_secrets_opened_total: 1,
      waxseal_secrets_deleted_total: 1,
      waxseal_secrets_locked_total: 1,
      waxseal_wrong_passphrases_total: 2,
      waxseal_secrets_expired_total: 0,
      waxseal_pending_secrets: 1,
      waxseal_store_up: 1,
    })) {
      assert.equal(valueIn(text, name), count, name);
    }
  });

  it("count an upload that was cancelled as abandoned, and not as a secret that was deleted", async () => {
    const app = createTestApp();
    const secret = await sealSecret({ text: "x".repeat(100_000) });
    await app.announce(secret);
    for (let i = 0; i < 2; i++) {
      await app.http.delete("/api/v1/receipt/secret").set(app.asReceipt(secret)).expect(200);
    }
    const text = await scrape(app);
    assert.equal(valueIn(text, "waxseal_secrets_created_total"), 0);
    assert.equal(valueIn(text, "waxseal_secrets_deleted_total"), 0);
    assert.equal(valueIn(text, "waxseal_uploads_abandoned_total"), 1);
    const events = app.logLines().flatMap(({ audit }) => (audit === undefined ? [] : [audit]));
    assert.deepEqual(events, ["upload-begun", "upload-abandoned"]);
  });

  it("count what ran out, when the watch comes by", async () => {
    const app = createTestApp();
    await app.create(await sealSecret({ ttl: 60 }));
    app.advance(60);
    // The watch alone does not keep a process alive.
    const alive = setInterval(() => {}, 1000);
    await new Promise<void>((resolve) => {
      const written = (event: string) => {
        assert.equal(event, "expired");
        watch.stop();
        resolve();
      };
      const watched = instrumentStore(app.store, app.metrics, written, () => {});
      const watch = startExpiryWatch({ store: watched, log: app.log, every: 1 });
    });
    clearInterval(alive);
    assert.equal(valueIn(await scrape(app), "waxseal_secrets_expired_total"), 1);
  });

  it("time requests by route, method and status, and nothing that a stranger chooses", async () => {
    const app = createTestApp({ env: { RATE_LIMIT_MISS: "1000/1m" } });
    const secret = await sealSecret();
    await app.create(secret);
    await app.http.get("/api/v1/secret").set(app.asLink(secret)).expect(200);
    await app.http.get("/api/v1/secret").expect(401);
    const series = (text: string) => text.match(/^waxseal_http_request_duration_seconds_count\{/gm)?.length;
    assert.equal(series(await scrape(app)), 3);
    assert.equal(
      valueIn(
        await scrape(app),
        'waxseal_http_request_duration_seconds_count{route="/api/v1/secret",method="GET",status="200"}',
      ),
      1,
    );
    for (let i = 0; i < 50; i++) await app.http.get(`/random/${i}?q=${i}`).expect(404);
    await app.http.trace("/").expect(404);
    await app.http.propfind("/").expect(404);
    const text = await scrape(app);
    assert.equal(
      valueIn(
        text,
        'waxseal_http_request_duration_seconds_count{route="unmatched",method="GET",status="404"}',
      ),
      50,
    );
    assert.equal(
      valueIn(
        text,
        'waxseal_http_request_duration_seconds_count{route="unmatched",method="OTHER",status="404"}',
      ),
      2,
    );
    assert.equal(series(text), 5);
    assert.doesNotMatch(text, /random/);
  });

  it("count refusals by limit, and time the store by act", async () => {
    const app = createTestApp({ env: { RATE_LIMIT_MISS: "1/1m" } });
    for (let i = 0; i < 3; i++) await app.http.get("/nowhere");
    await app.create(await sealSecret());
    const text = await scrape(app);
    assert.equal(valueIn(text, 'waxseal_rate_limited_total{limit="miss"}'), 2);
    assert.equal(valueIn(text, 'waxseal_store_duration_seconds_count{operation="create"}'), 1);
  });

  it("tell when the store is away, and leave out what is not known then", async () => {
    const limits = { retention: 60, passphraseTries: 3, redeliveryWindow: 30, maxTtl: 3600 };
    const store = createMemoryStore({ limits, maxBytes: 1 << 20 });
    let away = false;
    const metrics = createMetrics({
      countPending: () => (away ? Promise.reject(new Error("away")) : store.countPending()),
      memory: () => (away ? Promise.reject(new Error("away")) : store.memory()),
    });
    assert.equal(valueIn(await scrape({ metrics }), "waxseal_store_up"), 1);
    away = true;
    const text = await scrape({ metrics });
    assert.equal(valueIn(text, "waxseal_store_up"), 0);
    assert.equal(valueIn(text, "waxseal_pending_secrets"), undefined);
    assert.doesNotMatch(text, /^waxseal_store_memory/m);
  });

  it("tell how much memory is left, where, and how often it was not enough", async () => {
    const app = createTestApp({ env: { STORE_BUDGET: "1MiB", MAX_SECRET_BYTES: "512KiB" } });
    const [one, other, refused] = [
      await sealSecret({ text: "x".repeat(500_000) }),
      await sealSecret({ text: "y".repeat(500_000) }),
      await sealSecret({ text: "z".repeat(60_000) }),
    ];
    const series = (name: string) => `waxseal_store_memory_${name}_bytes{store="embedded"}`;
    const empty = await scrape(app);
    assert.equal(valueIn(empty, series("used")), 0);
    assert.equal(valueIn(empty, series("head_room")), 1_048_576);
    for (const secret of [one, other]) await app.upload(secret);
    await app.http.post("/api/v1/secrets").send(refused.body).expect(507);
    const text = await scrape(app);
    const used = valueIn(text, series("used")) ?? 0;
    assert.ok(used > 1_000_000);
    assert.equal(valueIn(text, series("budget")), 1_048_576);
    assert.equal(valueIn(text, series("head_room")), 1_048_576 - used);
    assert.equal(valueIn(text, "waxseal_store_full_total"), 1);
  });

  it("tell the memory of each node of a store, and forget a node that has left", async () => {
    let nodes = ["10.0.0.1:6379", "10.0.0.2:6379"];
    const metrics = createMetrics({
      countPending: async () => 0,
      memory: async () => nodes.map((node) => ({ place: "redis", node, used: 10, budget: undefined })),
    });
    const used = (node: string) => `waxseal_store_memory_used_bytes{store="redis",node="${node}"}`;
    const before = await scrape({ metrics });
    assert.deepEqual(
      nodes.map((node) => valueIn(before, used(node))),
      [10, 10],
    );
    assert.doesNotMatch(before, /^waxseal_store_memory_(budget|head_room)_bytes\{/m);
    nodes = ["10.0.0.2:6379"];
    const after = await scrape({ metrics });
    assert.equal(valueIn(after, used("10.0.0.1:6379")), undefined);
    assert.equal(valueIn(after, used("10.0.0.2:6379")), 10);
  });

  it("are at /metrics of their own listener, and nowhere on the public one", async () => {
    const app = createTestApp({ env: { METRICS_PORT: "9464" } });
    await app.http.get("/metrics").expect(404);
    await supertest(createMetricsApp(app.metrics)).get("/").expect(404);
    assert.match(await scrape(app), /^process_cpu_seconds_total /m);
  });
});
