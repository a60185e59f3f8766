import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sealSecret } from "../testing/sealed-secret.ts";
import { createTestApp } from "../testing/test-app.ts";

const env = { PUBLIC_URL: "https://secrets.example.com/waxseal" };
const api = "/waxseal/api/v1";

describe("Who may change anything", () => {
  it("refuses a browser that says another site, or no site, sent the request", async () => {
    const app = createTestApp({ env });
    const secret = await sealSecret();
    await app.create(secret);
    for (const site of ["cross-site", "same-site", "none", "", "Same-Origin"]) {
      const headers = { "Sec-Fetch-Site": site, Origin: "https://secrets.example.com" };
      const other = await sealSecret();
      for (const request of [
        app.http.post(`${api}/secrets`).send(other.body),
        app.http.post(`${api}/secret/open`).set(app.asLink(secret)).send({ access: secret.access }),
        app.http.post(`${api}/secret/ack`).set(app.asLink(secret)).send({}),
        app.http.delete(`${api}/receipt/secret`).set(app.asReceipt(secret)),
        app.http.post(`${api}/receipt/unlock`).set(app.asReceipt(secret)),
        app.http.post("/waxseal/assisted").type("form").send({ secret: "text" }),
      ]) {
        const response = await request.set(headers).set("Accept", "application/json").expect(403);
        assert.equal(response.body.code, "cross-site");
      }
    }
    assert.equal(await app.store.countPending(), 1);
    await app.open(secret).expect(200);
  });

  it("believes the browser that says our own page sent it, whatever a proxy made of the origin", async () => {
    const app = createTestApp({ env });
    const { body } = await sealSecret();
    const headers = { "Sec-Fetch-Site": "same-origin", Origin: "http://localhost:8080" };
    await app.http.post(`${api}/secrets`).set(headers).send(body).expect(201);
  });

  it("goes by the origin where the browser is too old to say the site", async () => {
    const app = createTestApp({ env });
    for (const origin of [
      "https://evil.example",
      "http://secrets.example.com",
      "https://secrets.example.com:8443",
      "https://secrets.example.com.evil.example",
      "https://secrets.example.com/",
      "null",
      "",
    ]) {
      const { body } = await sealSecret();
      const response = await app.http.post(`${api}/secrets`).set("Origin", origin).send(body).expect(403);
      assert.equal(response.body.code, "cross-site", origin);
    }
    const { body } = await sealSecret();
    await app.http.post(`${api}/secrets`).set("Origin", "https://secrets.example.com").send(body).expect(201);
  });

  it("takes no notice of programs that are no browser, and of requests that change nothing", async () => {
    const app = createTestApp({ env });
    const secret = await sealSecret();
    await app.create(secret);
    const headers = { ...app.asLink(secret), "Sec-Fetch-Site": "cross-site" };
    await app.http.get(`${api}/secret`).set(headers).expect(200);
    await app.http.head(`${api}/secret`).set(headers).expect(200);
    await app.http.get("/waxseal").set("Sec-Fetch-Site", "cross-site").expect(200);
  });
});
