import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createTestApp } from "../testing/test-app.ts";

const HTML = { Accept: "text/html" };
const redis = { REDIS_URL: "redis://localhost", RATE_LIMIT_MISS: "1/1m" };
const opening = { ...redis, ROLE: "open", PUBLIC_URL: "https://open.example/x" };
const creating = {
  ...redis,
  ROLE: "create",
  PUBLIC_URL: "https://in.example",
  LINK_URL: opening.PUBLIC_URL,
};

const hrefsOf = (html: string) => [...html.matchAll(/<a [^>]*href="([^"]+)"/g)].map(([, href]) => href);

describe("The start of an instance that only opens", () => {
  it("says what it does, and is a miss for nobody", async () => {
    const { http } = createTestApp({ env: opening });
    for (let visit = 0; visit < 5; visit++) {
      await http.head("/x/").expect(200);
      const { text } = await http.get("/x/").set(HTML).expect(200);
      assert.match(text, /<h1>Secrets are opened here<\/h1>\n<p class="lede">They are created elsewhere\.</);
      assert.deepEqual(hrefsOf(text), ["/x/assisted/open"]);
      assert(!/<script|<form/.test(text));
    }
    await http.get("/x/nothing").expect(404);
    await http.get("/x/nothing").expect(429);
    await http.get("/x/").expect(200);
  });

  it("tells nothing of its settings", async () => {
    const { http } = createTestApp({
      env: { ...opening, ASSISTED: "off", OPEN_ALLOW_CIDRS: "10.0.0.0/8", TRUST_PROXY: "1" },
    });
    const { text } = await http.get("/x/").set(HTML).expect(200);
    assert(!/open\.example|10\.0\.0\.0|redis|assisted|data-public-url|data-max/.test(text));
  });

  it("is the page to create on where an instance does both", async () => {
    const { text } = await createTestApp().http.get("/").set(HTML).expect(200);
    assert.match(text, /<h1 tabindex="-1">Share a secret</);
  });
});

describe("The address behind links on an instance that only creates", () => {
  it("names the one that opens, is not found, and is a miss for nobody", async () => {
    const { http } = createTestApp({ env: creating });
    for (let visit = 0; visit < 5; visit++) {
      await http.head("/s").expect(404);
      const { text, headers } = await http.get("/s").set(HTML).expect(404);
      assert.match(text, /<h1>Secrets are created here<\/h1>/);
      assert.match(text, /put <b>https:\/\/open\.example\/x<\/b> in place of <b>https:\/\/in\.example<\/b>/);
      assert.deepEqual(hrefsOf(text), ["/", "https://open.example/x/"]);
      assert(!/<script|<form|http-equiv/.test(text));
      assert.equal(headers.location, undefined);
      assert.equal(headers["referrer-policy"], "no-referrer");
    }
    await http.get("/nothing").expect(404);
    await http.get("/nothing").expect(429);
    await http.get("/s").expect(404);
  });

  it("is like one that never was where both instances have one name", async () => {
    const { http } = createTestApp({ env: { ...creating, LINK_URL: creating.PUBLIC_URL } });
    const { text } = await http.get("/s").set(HTML).expect(404);
    assert.match(text, /<h1>We can&#39;t find this</);
    await http.get("/s").expect(429);
  });
});
