import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createMemoryStore } from "../store/memory.ts";
import { TEST_LIMITS } from "../testing/open-redis-store.ts";
import { newClaim, sealSecret } from "../testing/sealed-secret.ts";
import { createTestApp } from "../testing/test-app.ts";
import { noteOpeners } from "./note-openers.ts";

describe("Whoever is told from where secrets were opened", () => {
  it("hears it once, of who opened it, whatever audit lines may hold, and of no other attempt", async (t) => {
    const store = createMemoryStore({ limits: TEST_LIMITS, maxBytes: 2 ** 24 });
    t.after(() => store.close());
    const told: string[][] = [];
    const app = createTestApp({
      store: noteOpeners(store, (...what) => void told.push(what)),
      env: { AUDIT_ADDRESSES: "none", TRUST_PROXY: "1" },
    });
    const secret = await sealSecret({ passphrase: "open sesame", ttl: 3600 });
    await app.create({ ...secret, body: { ...secret.body, ttl: 3600 } });
    const from = (address: string, body: object) => app.open(secret, body).set("X-Forwarded-For", address);
    await from("192.0.2.1", { access: secret.wrongAccess, claim: newClaim() }).expect(403);
    const body = { access: secret.access, claim: newClaim() };
    await from("192.0.2.2", body).expect(200);
    await from("192.0.2.3", body).expect(200);
    await from("192.0.2.4", { ...body, claim: newClaim() }).expect(410);
    assert.deepEqual(told, [[secret.body.id, "192.0.2.2"]]);
  });
});
