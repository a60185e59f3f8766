import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sealSecret } from "../testing/sealed-secret.ts";
import { createTestApp } from "../testing/test-app.ts";
import { createAudit } from "./audit.ts";
import { auditAddressOf } from "./audit-address.ts";
import { instrumentStore } from "./instrument-store.ts";

describe("The address in an audit line", () => {
  it("is nothing, the network or all of it, as the operator chose", () => {
    for (const [ip, network, full] of [
      ["192.0.2.77", "192.0.2.0/24", "192.0.2.77"],
      ["::ffff:192.0.2.77", "192.0.2.0/24", "192.0.2.77"],
      ["2001:db8:1234:5678:9abc::1", "2001:db8:1234::/48", "2001:db8:1234:5678:9abc::1"],
      ["fe80::1%eth0", "fe80::/48", "fe80::1"],
      ["::1", "::/48", "::1"],
      ["192.0.2.77:4711", undefined, undefined],
      ["[2001:db8::1]:4711", undefined, undefined],
      ["unknown", undefined, undefined],
      ["see https://example.org", undefined, undefined],
      ["", undefined, undefined],
      [undefined, undefined, undefined],
    ] as const) {
      const request = { ip };
      assert.equal(auditAddressOf(request, "none"), undefined, ip);
      assert.equal(auditAddressOf(request, "network"), network, ip);
      assert.equal(auditAddressOf(request, "full"), full, ip);
    }
  });

  const heard = async (env: Record<string, string>) => {
    const app = createTestApp({ env });
    const secret = await sealSecret();
    const spoofed = { "X-Forwarded-For": "203.0.113.9, 198.51.100.7", Forwarded: "for=203.0.113.9" };
    await app.http.post("/api/v1/secrets").set(spoofed).send(secret.body).expect(201);
    await app.open(secret).set(spoofed).expect(200);
    return app.logLines().filter(({ audit }) => audit !== undefined);
  };

  it("is not there unless it was asked for, in no line of the log", async () => {
    const app = createTestApp();
    await app.create(await sealSecret());
    assert.doesNotMatch(JSON.stringify(app.logLines()), /127\.0\.0\.1|"address"/);
  });

  it("is the connection's, whatever headers claim, unless a proxy is trusted", async () => {
    for (const line of await heard({ AUDIT_ADDRESSES: "full" })) assert.equal(line.address, "127.0.0.1");
    const trusting = { TRUST_PROXY: "1", AUDIT_ADDRESSES: "full" };
    for (const line of await heard(trusting)) assert.equal(line.address, "198.51.100.7");
    for (const line of await heard({ ...trusting, AUDIT_ADDRESSES: "network" })) {
      assert.equal(line.address, "198.51.100.0/24");
    }
  });

  it("is written down without the port that some proxies write beside it", async () => {
    for (const [kept, forwarded, written] of [
      ["full", "192.0.2.77:5678", "192.0.2.77"],
      ["full", "[2001:db8::1]:5678", "2001:db8::1"],
      ["network", "192.0.2.77:5678", "192.0.2.0/24"],
      ["network", "[2001:db8::1]:5678", "2001:db8::/48"],
    ] as const) {
      const app = createTestApp({ env: { TRUST_PROXY: "1", AUDIT_ADDRESSES: kept } });
      const { body } = await sealSecret();
      await app.http.post("/api/v1/secrets").set("X-Forwarded-For", forwarded).send(body).expect(201);
      const lines = app.logLines().filter(({ audit }) => audit !== undefined);
      assert.deepEqual(
        lines.map(({ address }) => address),
        [written],
      );
    }
  });

  it("is not in lines about what no request caused", async () => {
    const app = createTestApp({ env: { AUDIT_ADDRESSES: "full" } });
    await app.create(await sealSecret({ ttl: 60 }));
    app.advance(60);
    const written: object[] = [];
    const audit = createAudit({ write: (record) => void written.push(record) });
    await instrumentStore(app.store, app.metrics, audit, () => {}).collectExpired();
    assert.deepEqual(
      written.map((record) => [...Object.keys(record)]),
      [["audit", "secret"]],
    );
  });
});
