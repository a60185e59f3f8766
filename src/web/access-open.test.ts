import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createMemoryStore } from "../store/memory.ts";
import type { RefusalReason } from "../store/store.ts";
import { UPLOAD_LIMITS } from "../store/store.ts";
import { newClaim, type SealedSecret, type SealOptions, sealSecret } from "../testing/sealed-secret.ts";
import { createTestApp, type TestApp, type TestAppOptions } from "../testing/test-app.ts";

/** The test's clock stands at 2026-01-02, a Friday, 03:04:05 UTC. */
const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const OFFICE = "198.51.100.7";
const ELSEWHERE = "203.0.113.9";
const countryOf = (address: string) => ({ [OFFICE]: "DE", [ELSEWHERE]: "FR" })[address];

/** Rules that refuse the address ELSEWHERE, or everybody at this hour. */
const REFUSING = {
  network: { networks: ["198.51.100.0/24"] },
  country: { countries: ["DE"] },
  "not-yet": { notBefore: "2026-01-02T03:04:06Z" },
  hours: { hours: { zone: "UTC", days: [5], from: "03:05", to: "03:04" } },
} as const satisfies Record<RefusalReason, object>;
const REASONS = Object.keys(REFUSING) as RefusalReason[];

async function created(sealing: SealOptions, options: TestAppOptions = {}) {
  const env = { TRUST_PROXY: "1", GEOIP_DB: "/countries.mmdb", ...options.env };
  const app = createTestApp({ countryOf, ...options, env });
  const secret = await sealSecret(sealing);
  await app.create(secret);
  return { app, secret };
}

const openFrom = (app: TestApp, secret: SealedSecret, address: string, body?: object) =>
  app.open(secret, body).set("X-Forwarded-For", address);

async function receiptOf(app: TestApp, secret: SealedSecret) {
  const { body } = await app.http.get("/api/v1/receipt").set(app.asReceipt(secret)).expect(200);
  return body;
}

async function refusalsCounted(app: TestApp, reason: RefusalReason): Promise<number> {
  const { values } = await app.metrics.refused.get();
  return values.find(({ labels }) => labels.act === "open" && labels.reason === reason)?.value ?? 0;
}

describe("Opening against a rule", () => {
  for (const reason of REASONS) {
    it(`is refused for its reason (${reason}), written down and counted, and uses nothing up`, async () => {
      const rules = REFUSING[reason];
      const { app, secret } = await created({ passphrase: "rosebud", rules });
      for (const access of [secret.access, secret.wrongAccess, secret.access]) {
        const { body } = await openFrom(app, secret, ELSEWHERE, { access, claim: newClaim() }).expect(403);
        assert.equal(body.code, "refused");
        assert.equal(body.reason, reason);
        assert.equal(body.notBefore, reason === "not-yet" ? "2026-01-02T03:04:06.000Z" : undefined);
        assert.match(body.detail, /still sealed/);
      }
      const receipt = await receiptOf(app, secret);
      assert.equal(receipt.state, "sealed");
      assert.equal(receipt.triesLeft, 10);
      assert.deepEqual(receipt.events.slice(1), [{ at: receipt.createdAt, kind: "refused", reason }]);
      const denied = app.logLines().filter(({ audit }) => audit === "denied");
      assert.deepEqual(
        denied.map((line) => line.reason),
        Array(3).fill(`refused-${reason}`),
      );
      assert.equal(await refusalsCounted(app, reason), 3);
      app.advance(60);
      await openFrom(app, secret, OFFICE).expect(200);
    });
  }

  it("is noted again a minute after the last note, and no sooner", async () => {
    const { app, secret } = await created({ rules: REFUSING.network });
    const notes = async () => (await receiptOf(app, secret)).events.length - 1;
    await openFrom(app, secret, ELSEWHERE).expect(403);
    app.advance(59);
    await openFrom(app, secret, ELSEWHERE).expect(403);
    assert.equal(await notes(), 1);
    app.advance(1);
    await openFrom(app, secret, ELSEWHERE).expect(403);
    assert.equal(await notes(), 2);
  });

  it("is refused to nobody to whom every rule applies, and to whom any one does not", async () => {
    const all = {
      ...REFUSING.network,
      ...REFUSING.country,
      notBefore: "2026-01-02T03:00:00Z",
      hours: { zone: "Asia/Kathmandu", days: [5], from: "08:49", to: "08:50" },
    };
    const { app, secret } = await created({ rules: all });
    await openFrom(app, secret, ELSEWHERE).expect(403);
    app.advance(60);
    assert.equal((await openFrom(app, secret, OFFICE).expect(403)).body.reason, "hours");
    const second = await created({ rules: all });
    await openFrom(second.app, second.secret, OFFICE).expect(200);
  });

  it("does not take a secret back from the claim that has it", async () => {
    const { app, secret } = await created({
      rules: { networks: [OFFICE], notBefore: new Date(NOW - 1000).toISOString() },
    });
    const body = { access: secret.access, claim: newClaim() };
    await openFrom(app, secret, OFFICE, body).expect(200);
    const again = await openFrom(app, secret, ELSEWHERE, body).expect(200);
    assert.deepEqual(again.body, { share: secret.body.share });
    await openFrom(app, secret, ELSEWHERE).expect(410);
  });

  it("says how a secret has ended, and to nobody else that there is one", async () => {
    const { app, secret } = await created({ rules: REFUSING.network });
    const other = await sealSecret();
    const stranger = { ...secret, link: `${secret.link.slice(0, 30)}${other.link.slice(30)}` };
    assert.equal((await openFrom(app, stranger, ELSEWHERE).expect(404)).body.code, "not-found");
    assert.equal(await refusalsCounted(app, "network"), 0);
    await app.http.delete("/api/v1/receipt/secret").set(app.asReceipt(secret)).expect(200);
    assert.equal((await openFrom(app, secret, ELSEWHERE).expect(410)).body.state, "deleted");
  });

  it("does not show the rules to who has the link, and does to who has the receipt", async () => {
    const rules = { networks: ["198.51.100.0/24"], countries: ["AT", "DE"] };
    const { app, secret } = await created({ rules });
    const { body } = await app.http.get("/api/v1/secret").set(app.asLink(secret)).expect(200);
    assert.deepEqual(Object.keys(body).sort(), ["createdAt", "expiresAt", "passphrase", "size", "state"]);
    assert.deepEqual((await receiptOf(app, secret)).rules, rules);
    const refused = await openFrom(app, secret, ELSEWHERE).expect(403);
    assert(!refused.text.includes("198.51.100"));
  });

  it("is answered the same where the note on the receipt fails, or takes its time", {
    timeout: 20_000,
  }, async () => {
    const limits = {
      retention: 1e6,
      passphraseTries: 10,
      redeliveryWindow: 30,
      maxTtl: 1e6,
      uploads: UPLOAD_LIMITS,
    };
    for (const note of [
      () => Promise.reject(new Error("The note failed.")),
      () => new Promise<never>(() => undefined),
    ]) {
      const store = { ...createMemoryStore({ limits, maxBytes: 1e6, clock: () => NOW }), note };
      const { app, secret } = await created({ rules: REFUSING.network }, { store });
      assert.equal((await openFrom(app, secret, ELSEWHERE).expect(403)).body.code, "refused");
      await openFrom(app, secret, OFFICE).expect(200);
    }
  });

  it("is unavailable, and not allowed, where a newer version wrote rules that nobody knows here", async () => {
    const limits = {
      retention: 1e6,
      passphraseTries: 10,
      redeliveryWindow: 30,
      maxTtl: 1e6,
      uploads: UPLOAD_LIMITS,
    };
    const real = createMemoryStore({ limits, maxBytes: 1e6, clock: () => NOW });
    const store: typeof real = {
      ...real,
      create: (secret) => real.create({ ...secret, rules: '{"moon":"full"}' }),
    };
    const { app, secret } = await created({ rules: REFUSING.network }, { store });
    const { body } = await openFrom(app, secret, OFFICE).expect(503);
    assert.equal(body.code, "unavailable");
    assert.match(body.detail, /Nothing was opened/);
    assert.equal(
      (await app.http.get("/api/v1/secret").set(app.asLink(secret)).expect(200)).body.state,
      "sealed",
    );
  });

  it("by country is refused where no database tells countries, which is logged once", async () => {
    const app = createTestApp({ env: { TRUST_PROXY: "1", GEOIP_DB: "/x.mmdb" } });
    const secret = await sealSecret({ rules: REFUSING.country });
    await app.create(secret);
    for (let i = 0; i < 2; i++) {
      assert.equal((await openFrom(app, secret, OFFICE).expect(403)).body.reason, "country");
    }
    assert.equal(app.logLines().filter(({ msg }) => /Set GEOIP_DB/.test(String(msg))).length, 1);
  });
});

describe("The operator's list of who may open", () => {
  const env = { TRUST_PROXY: "1", OPEN_ALLOW_CIDRS: "198.51.100.0/24" };

  it("holds for every secret, is noted like a rule, and uses nothing up", async () => {
    const { app, secret } = await created({ passphrase: "rosebud" }, { env });
    const { body } = await openFrom(app, secret, ELSEWHERE, { access: secret.wrongAccess }).expect(403);
    assert.equal(body.reason, "network");
    const receipt = await receiptOf(app, secret);
    assert.deepEqual(
      receipt.events.map(({ kind, reason }: { kind: string; reason?: string }) => [kind, reason]),
      [
        ["sealed", undefined],
        ["refused", "network"],
      ],
    );
    assert.equal(receipt.triesLeft, 10);
    await openFrom(app, secret, OFFICE).expect(200);
  });

  it("comes on top of a sender's rules", async () => {
    const { app, secret } = await created({ rules: { networks: [ELSEWHERE] } }, { env });
    await openFrom(app, secret, ELSEWHERE).expect(403);
    await openFrom(app, secret, OFFICE).expect(403);
  });
});
