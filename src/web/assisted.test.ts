import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StoreFullError, StoreUnavailableError } from "../store/store.ts";
import { newClaim, sealSecret } from "../testing/sealed-secret.ts";
import { createTestApp } from "../testing/test-app.ts";

async function takesText(publicUrl: string): Promise<boolean> {
  const { http } = createTestApp({ env: { PUBLIC_URL: publicUrl } });
  const { text } = await http.get("/assisted").expect(200);
  return text.includes("<textarea");
}

describe("The assisted pages", () => {
  it("take a text over https, and from this machine by each of its names", async () => {
    for (const url of [
      "https://secrets.example.com",
      "http://localhost:8080",
      "http://waxseal.localhost",
      "http://127.0.0.2",
      "http://[::1]:8080",
    ]) {
      assert.ok(await takesText(url), url);
    }
  });

  it("take nothing over plain http, and say why", async () => {
    assert.ok(!(await takesText("http://intranet")));
    assert.ok(!(await takesText("http://localhost.example.com")));
  });

  it("show a secret again to the form that opened it, whose answer may have been lost, and to no other", async () => {
    const app = createTestApp();
    const secret = await sealSecret({ text: "hunter2 and more" });
    await app.create(secret);
    const form = await app.http.get("/assisted/open").expect(200);
    const csrf = /name="csrf" value="([^"]*)"/.exec(form.text)?.[1];
    const send = (claim: string) =>
      app.http
        .post("/assisted/open")
        .set("Cookie", form.get("Set-Cookie") ?? [])
        .type("form")
        .send({ csrf, claim, link: secret.linkFragment, passphrase: "" });
    const claim = newClaim();
    for (const [sent, status] of [
      [claim, 200],
      [newClaim(), 410],
      [claim, 200],
    ] as const) {
      const { text } = await send(sent).expect(status);
      assert.equal(text.includes(secret.text), status === 200);
    }
    app.advance(31);
    await send(claim).expect(410);
  });

  it("write down what the store failed at, which the form only tells the person", async () => {
    const { store } = createTestApp();
    for (const [path, failing, error, status] of [
      [
        "/assisted",
        { create: () => Promise.reject(new StoreUnavailableError()) },
        "StoreUnavailableError",
        503,
      ],
      ["/assisted", { create: () => Promise.reject(new StoreFullError()) }, "StoreFullError", 507],
      [
        "/assisted/open",
        { read: () => Promise.reject(new StoreUnavailableError()) },
        "StoreUnavailableError",
        503,
      ],
    ] as const) {
      const app = createTestApp({ store: { ...store, ...failing } });
      const form = await app.http.get(path).expect(200);
      const csrf = /name="csrf" value="([^"]*)"/.exec(form.text)?.[1];
      const { linkFragment: link } = await sealSecret();
      const { headers, text } = await app.http
        .post(path)
        .set("Cookie", form.get("Set-Cookie") ?? [])
        .type("form")
        .send({ csrf, secret: "hunter2", passphrase: "", ttl: "3600", link })
        .expect(status);
      // No field is to blame.
      assert.match(text, /<a href="#send">/);
      assert(!text.includes("aria-invalid"));
      const lines = app.logLines().filter(({ msg }) => msg === "request failed");
      assert.deepEqual(
        lines.map((line) => [line.level, line.requestId, Object(line.error).name]),
        [[40, headers["x-request-id"], error]],
      );
    }
  });
});
