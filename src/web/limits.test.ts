import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Test } from "supertest";
import { sealSecret } from "../testing/sealed-secret.ts";
import { createTestApp, type TestApp } from "../testing/test-app.ts";

async function expectLimited(request: Test, seconds: number): Promise<void> {
  const response = await request.expect(429);
  assert.equal(response.body.code, "limited");
  const wait = Number(response.get("Retry-After"));
  assert.ok(Number.isInteger(wait) && wait >= 1 && wait <= seconds, `Retry-After: ${wait}`);
  assert.match(response.body.detail, new RegExp(`Wait ${wait} seconds?, then try again`));
}

const miss = ({ http }: TestApp) => http.get("/api/v1/nothing");
/** As seen through a trusted proxy. */
const from = (request: Test, address: string) => request.set("X-Forwarded-For", address);

describe("The limit on creating", () => {
  it("counts every try, says how many are left, and refuses the next", async () => {
    const app = createTestApp({ env: { RATE_LIMIT_CREATE: "2/10m" } });
    const first = await app.http.post("/api/v1/secrets").send({}).expect(400);
    assert.match(first.get("RateLimit-Policy") ?? "", /^"create"; q=2; w=600/);
    assert.match(first.get("RateLimit") ?? "", /^"create"; r=1; t=\d+/);
    await app.create(await sealSecret());
    await expectLimited(app.http.post("/api/v1/secrets").send((await sealSecret()).body), 600);
    assert.equal(await app.store.countPending(), 1);
  });

  it("counts a form of the assisted page before a byte of it is read", async () => {
    const app = createTestApp({ env: { RATE_LIMIT_CREATE: "1/10m", MAX_SECRET_BYTES: "1KiB" } });
    const send = (form: string) => app.http.post("/assisted").type("form").send(form);
    await send("secret=x").expect(403);
    await send(`secret=${"x".repeat(100_000)}`).expect(429);
  });

  it("is not one with the limit on opening", async () => {
    const app = createTestApp({ env: { RATE_LIMIT_CREATE: "1/10m", RATE_LIMIT_OPEN: "2/1m" } });
    const secret = await sealSecret();
    await app.create(secret);
    await app.open(secret).expect(200);
    await app.open(secret).expect(410);
    await expectLimited(app.open(secret), 60);
    await app.http.get("/api/v1/secret").set(app.asLink(secret)).expect(410);
  });
});

describe("The limit on what is not there", () => {
  it("counts 404s alone, of the API and of pages alike", async () => {
    const app = createTestApp({ env: { RATE_LIMIT_MISS: "3/1m" } });
    const unknown = await sealSecret();
    for (let i = 0; i < 10; i++) {
      await app.http.get("/").expect(200);
      await app.http.get("/api/v1/secret").expect(401);
      await app.http.post("/api/v1/secrets").send({}).expect(400);
    }
    await app.http.get("/wp-login.php").expect(404);
    await app.http.get("/api/v1/secret").set(app.asLink(unknown)).expect(404);
    await app.http.get("/assets/none.js").expect(404);
    await expectLimited(app.http.get("/api/v1/secret").set(app.asLink(unknown)), 60);
    await app.http.get("/wp-login.php").set("Accept", "text/html").expect(429).expect("Content-Type", /html/);
  });

  it("never refuses who has a valid link, whatever else came from the same address", async () => {
    const app = createTestApp({ env: { RATE_LIMIT_MISS: "1/1m" } });
    const secret = await sealSecret();
    await app.create(secret);
    await miss(app).expect(404);
    await expectLimited(miss(app), 60);
    await app.http.get("/").expect(200);
    await app.http.get("/api/v1/secret").set(app.asLink(secret)).expect(200);
    await app.http.get("/api/v1/secret/blob").set(app.asLink(secret)).expect(200);
    await app.http.get("/api/v1/receipt").set(app.asReceipt(secret)).expect(200);
    await app.open(secret).expect(200);
    await expectLimited(miss(app), 60);
  });
});

describe("An address", () => {
  it("is the connection's, whatever a header claims, unless a proxy is trusted", async () => {
    const app = createTestApp({ env: { RATE_LIMIT_MISS: "1/1m" } });
    await from(miss(app), "192.0.2.1").expect(404);
    await expectLimited(from(miss(app), "192.0.2.2"), 60);
    await expectLimited(miss(app).set("Forwarded", "for=192.0.2.3"), 60);
  });

  it("is what the trusted proxy says, and nothing that stands before that", async () => {
    const app = createTestApp({ env: { RATE_LIMIT_MISS: "1/1m", TRUST_PROXY: "1" } });
    await from(miss(app), "192.0.2.1").expect(404);
    await expectLimited(from(miss(app), "192.0.2.1"), 60);
    await expectLimited(from(miss(app), "198.51.100.7, 192.0.2.1"), 60);
    await from(miss(app), "192.0.2.2").expect(404);
  });

  it("is one proxy's word only where that proxy's network is trusted", async () => {
    const app = createTestApp({ env: { RATE_LIMIT_MISS: "1/1m", TRUST_PROXY: "10.0.0.0/8" } });
    await from(miss(app), "192.0.2.1").expect(404);
    await expectLimited(from(miss(app), "192.0.2.2"), 60);
  });

  it("is a /56 in IPv6, because that is what one customer is given", async () => {
    const app = createTestApp({ env: { RATE_LIMIT_MISS: "1/1m", TRUST_PROXY: "1" } });
    await from(miss(app), "2001:db8:1:aa00::1").expect(404);
    await expectLimited(from(miss(app), "2001:db8:1:aa00::2"), 60);
    await expectLimited(from(miss(app), "2001:db8:1:aaff:1:2:3:4"), 60);
    await from(miss(app), "2001:db8:1:ab00::1").expect(404);
    await from(miss(app), "::ffff:192.0.2.1").expect(404);
    await expectLimited(from(miss(app), "192.0.2.1"), 60);
  });

  it("is the same client's, whatever ports a proxy writes beside it", async () => {
    const app = createTestApp({ env: { RATE_LIMIT_MISS: "1/1m", TRUST_PROXY: "1" } });
    await from(miss(app), "192.0.2.1:40001").expect(404);
    await expectLimited(from(miss(app), "192.0.2.1:40002"), 60);
    await from(miss(app), "[2001:db8::1]:40001").expect(404);
    await expectLimited(from(miss(app), "[2001:db8::1]:40002"), 60);
  });
});
