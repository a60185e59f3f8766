import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { newClaim, sealSecret } from "../testing/sealed-secret.ts";
import { readonlyIn, submitForm } from "../testing/submit-form.ts";
import { createTestApp, type TestApp } from "../testing/test-app.ts";

/** Two instances on one store, as with one Redis; the settings want one to be named. */
function halves() {
  const whole = createTestApp();
  const { store } = whole;
  const redis = { REDIS_URL: "redis://localhost", RATE_LIMIT_MISS: "1000/1m" };
  const LINK_URL = "https://open.example.org";
  return {
    create: createTestApp({
      store,
      env: { ...redis, ROLE: "create", LINK_URL, PUBLIC_URL: "https://in.example" },
    }),
    open: createTestApp({ store, env: { ...redis, ROLE: "open", PUBLIC_URL: LINK_URL } }),
  };
}

const HTML = { Accept: "text/html" };
const ofCreating = [
  ["post", "/api/v1/secrets"],
  ["put", "/api/v1/secret/blob"],
  ["get", "/api/v1/receipt"],
  ["get", "/api/v1/receipt/events"],
  ["delete", "/api/v1/receipt/secret"],
  ["post", "/api/v1/receipt/unlock"],
  ["post", "/"],
  ["get", "/r"],
  ["get", "/links"],
  ["get", "/assisted"],
  ["post", "/assisted"],
  ["get", "/assisted/receipt"],
  ["post", "/assisted/receipt"],
] as const;
const ofOpening = [
  ["get", "/api/v1/secret"],
  ["head", "/api/v1/secret"],
  ["get", "/api/v1/secret/blob"],
  ["post", "/api/v1/secret/open"],
  ["post", "/api/v1/secret/ack"],
  ["post", "/s"],
] as const;

/** The answer without what differs from one request to the next. */
async function answer(
  app: TestApp,
  method: "get" | "head" | "post" | "put" | "delete",
  path: string,
  token: string,
) {
  const { status, headers, text } = await app.http[method](path).set({
    ...HTML,
    Authorization: `Bearer ${token}`,
  });
  const { date, "x-request-id": requestId, ratelimit, ...rest } = headers;
  assert(date && requestId);
  return { status, headers: rest, text };
}

async function nothing(app: TestApp, method: "get" | "head" | "post" | "put" | "delete", path: string) {
  return answer(app, method, path.replace(/[^/]*$/, "nothing-here"), "wsl_x");
}

describe("An instance that serves half", () => {
  it("has nothing at the other half's addresses, not even for who has the token", async () => {
    const { create, open } = halves();
    const secret = await sealSecret();
    await create.create(secret);
    for (const [app, calls, token] of [
      [open, ofCreating, secret.receipt],
      [create, ofOpening, secret.link],
    ] as const) {
      for (const [method, path] of calls) {
        const got = await answer(app, method, path, token);
        assert.equal(got.status, 404, `${method} ${path}`);
        // The same page as for an address that never was, but for the frame that the address has.
        if (!path.startsWith("/assisted"))
          assert.deepEqual(got, await nothing(app, method, path), `${method} ${path}`);
      }
    }
  });

  it("has all that its own half needs, and what every instance has", async () => {
    const { create, open } = halves();
    const secret = await sealSecret();
    await create.create(secret);
    for (const app of [create, open]) {
      for (const path of ["/healthz", "/readyz", "/robots.txt"]) await app.http.get(path).expect(200);
      const { text } = await app.http
        .get(app === create ? "/" : "/s")
        .set(HTML)
        .expect(200);
      const script = /src="([^"]+)"/.exec(text)?.[1] ?? "";
      await app.http.get(script).expect(200);
    }
    await open.http.get("/api/v1/secret").set(open.asLink(secret)).expect(200);
    await open.http.get("/api/v1/secret/blob").set(open.asLink(secret)).expect(200);
    const claim = newClaim();
    await open.open(secret, { access: secret.access, claim }).expect(200);
    await open.http.post("/api/v1/secret/ack").set(open.asLink(secret)).send({ claim }).expect(204);
    const { body } = await create.http.get("/api/v1/receipt").set(create.asReceipt(secret)).expect(200);
    assert.equal(body.state, "opened");
    for (const path of ["/", "/r", "/links"]) await create.http.get(path).set(HTML).expect(200);
  });

  it("leads nobody to a page that it does not have", async () => {
    const { create, open } = halves();
    for (const path of ["/", "/s", "/assisted/open", "/nothing"]) {
      const { text } = await open.http.get(path).set(HTML);
      const targets = [...text.matchAll(/<a [^>]*href="([^"]+)"/g)].map(([, href = ""]) => href);
      for (const href of targets.filter((target) => target.startsWith("/"))) {
        await open.http.get(href).set(HTML).expect(200);
      }
    }
    const { text } = await create.http.get("/assisted").set(HTML).expect(200);
    assert(!text.includes("Open a link this way"));
  });

  it("makes links to where they open, and receipts to where it is itself", async () => {
    const { create } = halves();
    const { text } = await create.http.get("/").set(HTML).expect(200);
    assert.match(
      text,
      / data-public-url="https:\/\/in\.example" data-link-url="https:\/\/open\.example\.org"/,
    );
  });
});

describe("The assisted pages of an instance that serves half", () => {
  it("create and show receipts on the one, and open on the other", async () => {
    const { create, open } = halves();
    const created = await submitForm(create, "/assisted", {
      secret: "hunter2 and more",
      passphrase: "",
      ttl: "3600",
    });
    const [link = "", receipt = ""] = readonlyIn(created.text);
    assert.match(link, /^https:\/\/open\.example\.org\/s#/);
    assert.match(receipt, /^https:\/\/in\.example\/r#/);
    assert.equal((await submitForm(create, "/assisted/open", { link })).status, 404);
    assert.equal((await submitForm(open, "/assisted/open", { link: receipt })).status, 404);
    assert.match(
      (await submitForm(create, "/assisted/open", { link: receipt })).text,
      /Nobody has opened it yet/,
    );
    assert.match((await submitForm(open, "/assisted/open", { link })).text, /hunter2 and more/);
    assert.match((await submitForm(create, "/assisted/open", { link: receipt })).text, /<h1>Opened/);
  });
});
