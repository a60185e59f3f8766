import assert from "node:assert/strict";
import { describe, it } from "node:test";
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
});
