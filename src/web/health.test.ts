import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createMemoryStore } from "../store/memory.ts";
import { createTestApp } from "../testing/test-app.ts";

const limits = { retention: 60, passphraseTries: 3, redeliveryWindow: 30, maxTtl: 3600 };

describe("Health", () => {
  it("is ready while the store answers, and says so at the root and below the base path", async () => {
    const { http } = createTestApp({ env: { PUBLIC_URL: "https://example.com/seal" } });
    for (const path of ["/readyz", "/seal/readyz"]) {
      const response = await http.get(path).expect(200);
      assert.deepEqual(response.body, { status: "ready" });
    }
    for (const path of ["/healthz", "/seal/healthz"]) {
      const response = await http.get(path).expect(200);
      assert.deepEqual(response.body, { status: "ok" });
    }
  });

  it("is not ready while the store fails, and alive all the same", async () => {
    const store = createMemoryStore({ limits, maxBytes: 1 << 20 });
    const { http } = createTestApp({ store });
    await http.get("/readyz").expect(200);
    await store.close();
    const response = await http.get("/readyz").set("Accept", "application/json").expect(503);
    assert.equal(response.body.code, "unavailable");
    assert.match(response.get("Retry-After") ?? "", /^\d+$/);
    await http.get("/healthz").expect(200);
  });

  it("does not wait for a store that never answers", async () => {
    const store = createMemoryStore({ limits, maxBytes: 1 << 20 });
    const { http } = createTestApp({ store: { ...store, ping: () => new Promise<void>(() => {}) } });
    await http.get("/readyz").expect(503);
  });

  it("is not ready once the process has been told to end", async () => {
    const app = createTestApp();
    app.drain();
    await app.http.get("/readyz").expect(503);
    await app.http.get("/healthz").expect(200);
    await app.http.get("/").expect(200);
  });
});
