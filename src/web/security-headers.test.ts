import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Response } from "supertest";
import { sealSecret } from "../testing/sealed-secret.ts";
import { createTestApp, type TestApp } from "../testing/test-app.ts";

const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
  "worker-src 'self'; manifest-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; " +
  "require-trusted-types-for 'script'; trusted-types waxseal-worker";

const policyOf = (response: Response) =>
  (response.get("Content-Security-Policy") ?? "").replaceAll(/; */g, "; ");

async function everyKindOfAnswer(app: TestApp): Promise<Record<string, Response>> {
  const secret = await sealSecret();
  const created = await app.http.post("/api/v1/secrets").send(secret.body).expect(201);
  const page = await app.http.get("/").expect(200);
  const asset = /href="(\/assets\/[^"]+\.css)"/.exec(page.text)?.[1] ?? "";
  return {
    created,
    page,
    asset: await app.http.get(asset).expect(200),
    state: await app.http.get("/api/v1/secret").set(app.asLink(secret)).expect(200),
    blob: await app.http.get("/api/v1/secret/blob").set(app.asLink(secret)).expect(200),
    opened: await app.open(secret).expect(200),
    gone: await app.open(secret).expect(410),
    missing: await app.http.get("/api/v1/nothing").expect(404),
    "missing page": await app.http.get("/nothing").set("Accept", "text/html").expect(404),
    invalid: await app.http.post("/api/v1/secrets").send({}).expect(400),
    "cross-site": await app.http.post("/api/v1/secrets").set("Sec-Fetch-Site", "none").expect(403),
    robots: await app.http.get("/robots.txt").expect(200),
    health: await app.http.get("/healthz").expect(200),
  };
}

describe("Headers", () => {
  it("are there on every kind of answer", async () => {
    for (const [kind, response] of Object.entries(await everyKindOfAnswer(createTestApp()))) {
      assert.equal(policyOf(response), PAGE_POLICY, kind);
      const expected = {
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "X-Robots-Tag": "noindex, nofollow, noarchive",
        "Cache-Control": kind === "asset" ? "public, max-age=31536000, immutable" : "no-store",
      };
      for (const [name, value] of Object.entries(expected))
        assert.equal(response.get(name), value, `${kind}: ${name}`);
      assert.match(response.get("X-Request-Id") ?? "", /^[0-9a-f-]{36}$/, kind);
      for (const name of ["X-Powered-By", "ETag", "Server", "Strict-Transport-Security"]) {
        assert.equal(response.get(name), undefined, `${kind}: ${name}`);
      }
    }
  });

  it("allow no feature but writing to the clipboard and sharing", async () => {
    const response = await createTestApp().http.get("/");
    const features = (response.get("Permissions-Policy") ?? "").split(", ").map((entry) => entry.split("="));
    assert.deepEqual(
      features.filter(([, list]) => list !== "()"),
      [["clipboard-write", "(self)"]],
    );
    assert.ok(features.every(([name]) => name !== "web-share"));
    assert.ok(features.some(([name]) => name === "camera"));
  });

  it("ask for https only over https, as a trusted proxy tells it", async () => {
    const proxied = createTestApp({ env: { TRUST_PROXY: "1" } });
    const secure = await proxied.http.get("/").set("X-Forwarded-Proto", "https");
    assert.equal(secure.get("Strict-Transport-Security"), "max-age=31536000");
    const plain = await proxied.http.get("/").set("X-Forwarded-Proto", "http");
    assert.equal(plain.get("Strict-Transport-Security"), undefined);
    const untrusted = await createTestApp().http.get("/").set("X-Forwarded-Proto", "https");
    assert.equal(untrusted.get("Strict-Transport-Security"), undefined);
  });

  it("let the assisted pages' forms be sent here, and only theirs", async () => {
    const { http } = createTestApp();
    const response = await http.get("/assisted").expect(200);
    assert.equal(policyOf(response), PAGE_POLICY.replace("form-action 'none'", "form-action 'self'"));
    assert.equal(response.get("Referrer-Policy"), "no-referrer");
  });

  it("keep robots out", async () => {
    const response = await createTestApp()
      .http.get("/robots.txt")
      .expect("Content-Type", /^text\/plain/);
    assert.equal(response.text, "User-agent: *\nDisallow: /\n");
  });
});
