import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createLimitStore } from "../store/redis-limits.ts";
import { driveEveryFlow, findNeedles } from "../testing/every-flow.ts";
import { freePort } from "../testing/free-port.ts";
import { connectPatiently, openRedisStore } from "../testing/open-redis-store.ts";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { newClaim, sealSecret } from "../testing/sealed-secret.ts";
import { launchServer, type ServerProcess, startServer } from "../testing/server-process.ts";
import { createTestApp } from "../testing/test-app.ts";
import { until } from "../testing/until.ts";

describe("On Redis", () => {
  let redis: TestRedis;
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis.stop());

  it("a secret goes its whole way: sealed, tried, locked, unlocked, opened, fetched again, received", async () => {
    const store = await openRedisStore(redis.port);
    try {
      const app = createTestApp({ store });
      const secret = await sealSecret({ passphrase: "rosebud" });
      const claim = newClaim();
      await app.create(secret);
      await app.create(secret);
      for (const triesLeft of [2, 1, 0]) {
        const wrong = await app.open(secret, { access: secret.wrongAccess }).expect(403);
        assert.equal(wrong.body.triesLeft, triesLeft);
      }
      await app.open(secret).expect(423);
      await app.http.post("/api/v1/receipt/unlock").set(app.asReceipt(secret)).expect(200);
      for (let i = 0; i < 2; i++) {
        const handed = await app.open(secret, { access: secret.access, claim }).expect(200);
        assert.deepEqual(handed.body, { share: secret.body.share });
      }
      const blob = await app.http.get("/api/v1/secret/blob").set(app.asLink(secret)).expect(200);
      assert.deepEqual(new Uint8Array(blob.body), secret.blob);
      await app.http.post("/api/v1/secret/ack").set(app.asLink(secret)).send({ claim }).expect(204);
      await app.open(secret, { access: secret.access, claim }).expect(410);
      const receipt = await app.http.get("/api/v1/receipt").set(app.asReceipt(secret)).expect(200);
      assert.deepEqual(
        receipt.body.events.map(({ kind }: { kind: string }) => kind),
        [
          "sealed",
          "wrong-passphrase",
          "wrong-passphrase",
          "wrong-passphrase",
          "locked",
          "unlocked",
          "opened",
          "received",
        ],
      );
    } finally {
      await store.close();
    }
  });

  it("one of many who ask two replicas at once is handed the share", async () => {
    const stores = [await openRedisStore(redis.port), await openRedisStore(redis.port)];
    try {
      const apps = stores.map((store) => createTestApp({ store }));
      const [first, second] = apps;
      assert.ok(first && second);
      const secret = await sealSecret();
      await first.create(secret);
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, i) =>
          (i % 2 ? first : second).open(secret, { access: secret.access, claim: newClaim() }),
        ),
      );
      assert.equal(answers.filter(({ status }) => status === 200).length, 1);
      assert.equal(answers.filter(({ status }) => status === 410).length, 39);
    } finally {
      for (const store of stores) await store.close();
    }
  });

  it("a limit holds across replicas", async () => {
    const clients = [await connectPatiently(redis.port), await connectPatiently(redis.port)];
    try {
      const apps = clients.map((client) =>
        createTestApp({
          env: { RATE_LIMIT_MISS: "2/1m" },
          limitStore: (name) => createLimitStore({ client, name, patience: 30_000 }),
        }),
      );
      const [first, second] = apps;
      assert.ok(first && second);
      await first.http.get("/nowhere").expect(404);
      await second.http.get("/nowhere").expect(404);
      await first.http.get("/nowhere").expect(429);
      await second.http.get("/nowhere").expect(429);
    } finally {
      for (const client of clients) client.disconnect();
    }
  });

  it("nothing that could open, name or confirm a secret is written down", async () => {
    const server = await startServer({ LOG_LEVEL: "trace", DEBUG: "*", REDIS_URL: redis.url });
    try {
      const needles = await driveEveryFlow(server.url);
      server.signal("SIGINT");
      assert.equal(await server.ended, 0);
      assert.match(server.output(), /"audit":"opened"/);
      assert.deepEqual(findNeedles(server.output(), needles), []);
    } finally {
      await server.stop();
    }
  });
});

describe("While Redis is away", () => {
  let redis: TestRedis;
  let server: ServerProcess;
  before(async () => {
    redis = await startRedis();
    server = await startServer({ REDIS_URL: redis.url });
  });
  after(async () => {
    await server.stop();
    await redis.stop();
  });

  const post = (body: object) =>
    fetch(`${server.url}/api/v1/secrets`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  const statusOf = async (path: string) => (await fetch(server.url + path)).status;

  it("the API says 503 and when to try again, pages load, and all comes back by itself", async () => {
    const [{ body }, refusedSecret, later] = [await sealSecret(), await sealSecret(), await sealSecret()];
    await until(async () => (await post(body)).status === 201);
    await until(async () => (await statusOf("/readyz")) === 200);
    const saidBefore = server.output().length;
    const said = () => server.output().slice(saidBefore);

    await redis.kill();
    await until(async () => (await statusOf("/readyz")) === 503);
    const refused = await post(refusedSecret.body);
    assert.equal(refused.status, 503);
    assert.equal(refused.headers.get("Retry-After"), "2");
    const problem = (await refused.json()) as { code: string };
    assert.equal(problem.code, "unavailable");
    assert.equal(await statusOf("/healthz"), 200);
    for (const page of ["/", "/s", "/r", "/assisted"]) assert.equal(await statusOf(page), 200);
    assert.equal(await statusOf("/nowhere"), 404);
    await until(() => said().includes("Redis is away"));

    await redis.restart();
    await until(async () => (await statusOf("/readyz")) === 200);
    await until(async () => (await post(later.body)).status === 201);
    await until(() => said().includes("Redis is back"));
    const [outage = ""] = said().split("Redis is back");
    assert.equal(outage.match(/Redis is away/g)?.length, 1);
  });

  it("readiness is off within two seconds also where Redis is only silent", async () => {
    await until(async () => (await statusOf("/readyz")) === 200);
    redis.freeze();
    // Each answer comes within readiness' own second; what is asked from now on must be told no.
    assert.equal(await statusOf("/readyz"), 503);
    redis.thaw();
    await until(async () => (await statusOf("/readyz")) === 200);
  });
});

describe("Starting on Redis", () => {
  it("says which Redis, without its password", async () => {
    const redis = await startRedis("--requirepass", "pa55word-of-redis");
    const server = await startServer({ REDIS_URL: `redis://:pa55word-of-redis@127.0.0.1:${redis.port}` });
    await server.stop();
    await redis.stop();
    assert.match(server.output(), new RegExp(`\\(Redis at 127\\.0\\.0\\.1:${redis.port}\\)`));
    assert.doesNotMatch(server.output(), /pa55word/);
  });

  it("waits for one that comes up a little later", async () => {
    const redis = await startRedis();
    await redis.kill();
    const server = launchServer(await freePort(), { REDIS_URL: redis.url });
    try {
      await until(() => server.output().includes("Redis is away"));
      await redis.restart();
      await until(() => server.output().includes("Waxseal is ready"));
    } finally {
      await server.stop();
      await redis.stop();
    }
  });

  it("ends with what to do where none answers", async () => {
    const port = await freePort();
    const server = launchServer(await freePort(), {
      REDIS_URL: `redis://:pa55word-of-redis@127.0.0.1:${port}`,
    });
    assert.equal(await server.ended, 1);
    assert.match(server.output(), /Redis does not answer\. Start it, or correct REDIS_URL/);
    assert.doesNotMatch(server.output(), /pa55word/);
  });

  it("refuses one that may evict secrets, and says what to set", async () => {
    const redis = await startRedis("--maxmemory-policy", "allkeys-lru");
    const server = launchServer(await freePort(), { REDIS_URL: redis.url });
    const code = await server.ended;
    await redis.stop();
    assert.equal(code, 1);
    assert.match(server.output(), /Waxseal did not start: .*maxmemory-policy noeviction/);
  });
});
