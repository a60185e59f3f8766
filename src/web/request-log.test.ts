import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { describe, it } from "node:test";
import { fingerprint } from "../audit/fingerprint.ts";
import { createMemoryStore } from "../store/memory.ts";
import { sealSecret } from "../testing/sealed-secret.ts";
import { createTestApp, type TestApp } from "../testing/test-app.ts";
import { until } from "../testing/until.ts";

const requests = (app: TestApp) => app.logLines().filter(({ msg }) => msg === "request");
const audits = (app: TestApp) => app.logLines().filter(({ audit }) => audit !== undefined);

describe("The line about a request", () => {
  it("has the route's template, the status, the time it took, and the id that the answer carries", async () => {
    const app = createTestApp();
    const secret = await sealSecret();
    const response = await app.http.get("/api/v1/secret?x=1").set(app.asLink(secret)).expect(404);
    const [line, ...more] = requests(app);
    assert.ok(line);
    assert.deepEqual(more, []);
    const { level, time, pid, hostname, milliseconds, ...rest } = line;
    assert.ok(level && time && pid && hostname);
    assert.ok(typeof milliseconds === "number" && milliseconds >= 0);
    assert.deepEqual(rest, {
      requestId: response.get("X-Request-Id"),
      method: "GET",
      route: "/api/v1/secret",
      status: 404,
      msg: "request",
    });
  });

  it("is there for every kind of answer, and calls unknown addresses and methods by no name", async () => {
    const app = createTestApp();
    await app.http.get("/").expect(200);
    await app.http.post("/api/v1/secrets").set("Sec-Fetch-Site", "cross-site").expect(403);
    await app.http.get("/favourite/secret").expect(404);
    await app.http.propfind("/").expect(404);
    assert.deepEqual(
      requests(app).map(({ method, route, status }) => [method, route, status]),
      [
        ["GET", "/", 200],
        ["POST", "unmatched", 403],
        ["GET", "unmatched", 404],
        ["OTHER", "unmatched", 404],
      ],
    );
  });

  it("is a debug line for a probe that went well, and stays an info line for one that did not", async () => {
    const app = createTestApp();
    await app.http.get("/readyz").expect(200);
    app.drain();
    await app.http.get("/readyz").expect(503);
    assert.deepEqual(
      requests(app).map(({ level, status }) => [level, status]),
      [
        [20, 200],
        [30, 503],
      ],
    );
  });

  it("takes no id from the request", async () => {
    const app = createTestApp();
    const response = await app.http.get("/").set("X-Request-Id", "chosen-by-a-stranger");
    assert.notEqual(response.get("X-Request-Id"), "chosen-by-a-stranger");
  });

  it("says so where the client went away before the answer", async () => {
    const limits = { retention: 60, passphraseTries: 3, redeliveryWindow: 30, maxTtl: 3600 };
    const store = createMemoryStore({ limits, maxBytes: 1 << 20 });
    let answer = () => {};
    const asked = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const slow = { ...store, read: () => asked.then(() => undefined) };
    const app = createTestApp({ store: slow });
    const secret = await sealSecret();
    await app.listening(async (url) => {
      const sent = request(`${url}/api/v1/secret`, { headers: app.asLink(secret) }).end();
      sent.on("error", () => {});
      await once(sent, "finish");
      setImmediate(() => sent.destroy());
      await until(() => requests(app).length === 1);
      answer();
    });
    const [line] = requests(app);
    assert.equal(line?.status, 499);
    assert.equal(line?.incomplete, true);
  });
});

describe("The line about an event", () => {
  it("names the event, the secret's fingerprint and the request, and is written once", async () => {
    const app = createTestApp({ env: { PASSPHRASE_TRIES: "1" } });
    const secret = await sealSecret({ passphrase: "rosebud" });
    await app.create(secret);
    await app.create(secret);
    await app.open(secret, { access: secret.wrongAccess }).expect(403);
    await app.open(secret).expect(423);
    await app.http.post("/api/v1/receipt/unlock").set(app.asReceipt(secret)).expect(200);
    const opened = await app.open(secret).expect(200);
    await app.open(secret).expect(410);
    assert.deepEqual(
      audits(app).map(({ audit, reason }) => (reason === undefined ? audit : `${audit}: ${reason}`)),
      ["created", "denied: wrong-passphrase", "locked", "denied: locked", "unlocked", "opened"],
    );
    const secrets = new Set(audits(app).map((line) => line.secret));
    assert.deepEqual(secrets, new Set([fingerprint(secret.body.id)]));
    assert.equal(audits(app).at(-1)?.requestId, opened.get("X-Request-Id"));
  });

  it("says that somebody had no proof", async () => {
    const app = createTestApp();
    const unknown = await sealSecret();
    await app.http.get("/api/v1/receipt").set(app.asReceipt(unknown)).expect(404);
    const [line] = audits(app);
    assert.equal(line?.audit, "denied");
    assert.equal(line?.reason, "not-found");
  });

  it("tells one secret from another by 64 bits that do not lead back to the id", async () => {
    const [one, other] = [await sealSecret(), await sealSecret()];
    assert.match(fingerprint(one.body.id), /^[0-9a-f]{16}$/);
    assert.equal(fingerprint(one.body.id), fingerprint(one.body.id));
    assert.notEqual(fingerprint(one.body.id), fingerprint(other.body.id));
  });
});

describe("A proxy that is not trusted", () => {
  it("is told of once", async () => {
    const app = createTestApp();
    for (let i = 0; i < 3; i++) await app.http.get("/").set("X-Forwarded-For", "192.0.2.1");
    const hints = app.logLines().filter(({ msg }) => String(msg).includes("TRUST_PROXY"));
    assert.equal(hints.length, 1);
  });

  it("is not told of where it is trusted", async () => {
    const app = createTestApp({ env: { TRUST_PROXY: "1" } });
    await app.http.get("/").set("X-Forwarded-For", "192.0.2.1");
    assert.deepEqual(
      app.logLines().filter(({ msg }) => String(msg).includes("TRUST_PROXY")),
      [],
    );
  });
});
