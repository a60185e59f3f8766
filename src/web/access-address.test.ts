import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sealSecret } from "../testing/sealed-secret.ts";
import { createTestApp, type TestApp } from "../testing/test-app.ts";

const INTRANET = "10.1.2.3";
const OUTSIDE = "203.0.113.9";
const PROXY = "127.0.0.1";

/** Headers by which somebody might try to be taken for somebody else. */
const SPOOFS: readonly Readonly<Record<string, string>>[] = [
  { "X-Forwarded-For": INTRANET },
  { "X-Forwarded-For": `${INTRANET}, ${INTRANET}` },
  { Forwarded: `for=${INTRANET}` },
  { "X-Real-IP": INTRANET },
  { "X-Client-IP": INTRANET },
  { "True-Client-IP": INTRANET },
  { "CF-Connecting-IP": INTRANET },
  { "X-Cluster-Client-IP": INTRANET },
  { Via: `1.1 ${INTRANET}`, "X-Forwarded": `for=${INTRANET}`, "Forwarded-For": INTRANET },
];

const apps = new Map<string, TestApp>();

/** One for each environment: its pages take a while to compress. */
function appWith(env: Readonly<Record<string, string>>): TestApp {
  const limits = { RATE_LIMIT_CREATE: "1000/1m" };
  const app = apps.get(JSON.stringify(env)) ?? createTestApp({ env: { ...limits, ...env } });
  apps.set(JSON.stringify(env), app);
  return app;
}

/** Whether a create and an open get through from the test's own address, 127.0.0.1, with these headers. */
async function getsThrough(env: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>>) {
  const open = appWith({ ...env, OPEN_ALLOW_CIDRS: "10.0.0.0/8" });
  const create = appWith({ ...env, CREATE_ALLOW_CIDRS: "10.0.0.0/8" });
  const secret = await sealSecret();
  await open.create(secret);
  const opened = await open.open(secret).set(headers);
  const created = await create.http.post("/api/v1/secrets").set(headers).send(secret.body);
  assert.equal(opened.status === 200, created.status === 201);
  if (opened.status !== 200) {
    assert.deepEqual([opened.status, created.status], [403, 403]);
    assert.equal((await open.store.read(secret.body.id))?.state, "sealed");
    assert.equal(await create.store.read(secret.body.id), undefined);
  }
  return opened.status === 200;
}

describe("A client's address", () => {
  it("is the connection's own without TRUST_PROXY, whatever headers say", async () => {
    for (const headers of [{}, ...SPOOFS]) {
      assert.equal(await getsThrough({}, headers), false, JSON.stringify(headers));
      assert.equal(await getsThrough({ TRUST_PROXY: "0" }, headers), false, JSON.stringify(headers));
    }
  });

  it("is as many steps back in X-Forwarded-For as there are proxies, and no further", async () => {
    for (const [hops, chain, expected] of [
      ["1", INTRANET, true],
      ["1", OUTSIDE, false],
      // What the client itself wrote stands before what the proxy added.
      ["1", `${INTRANET}, ${OUTSIDE}`, false],
      ["1", `${OUTSIDE}, ${INTRANET}`, true],
      ["2", `${INTRANET}, ${OUTSIDE}`, true],
      ["2", `${INTRANET}, ${OUTSIDE}, 192.0.2.1`, false],
    ] as const) {
      const got = await getsThrough({ TRUST_PROXY: hops }, { "X-Forwarded-For": chain });
      assert.equal(got, expected, `${hops}: ${chain}`);
    }
    for (const headers of SPOOFS.filter((spoof) => !("X-Forwarded-For" in spoof))) {
      assert.equal(await getsThrough({ TRUST_PROXY: "1" }, headers), false, JSON.stringify(headers));
    }
  });

  it("is the first that is no trusted proxy's where these are named by their networks", async () => {
    for (const [trusted, chain, expected] of [
      [PROXY, INTRANET, true],
      [PROXY, `${INTRANET}, ${OUTSIDE}`, false],
      [`${PROXY},203.0.113.0/24`, `${INTRANET}, ${OUTSIDE}`, true],
      ["loopback", `${INTRANET}, ${OUTSIDE}, 127.0.0.9`, false],
      // The proxy that the request comes from is none of these.
      ["192.0.2.1", INTRANET, false],
      ["203.0.113.0/24", `${INTRANET}, ${OUTSIDE}`, false],
    ] as const) {
      const got = await getsThrough({ TRUST_PROXY: trusted }, { "X-Forwarded-For": chain });
      assert.equal(got, expected, `${trusted}: ${chain}`);
    }
  });

  it("counts in any notation, and without its zone", async () => {
    for (const [address, list, expected] of [
      ["::ffff:10.1.2.3", "10.0.0.0/8", true],
      ["::ffff:a01:203", "10.0.0.0/8", true],
      ["::ffff:203.0.113.9", "10.0.0.0/8", false],
      ["2001:DB8:0::1", "2001:db8::/32", true],
      ["fe80::1%eth0", "fe80::/10", true],
      ["10.1.2.3", "::/0", false],
    ] as const) {
      const app = appWith({ TRUST_PROXY: "1", CREATE_ALLOW_CIDRS: list });
      const { body } = await sealSecret();
      const { status } = await app.http.post("/api/v1/secrets").set("X-Forwarded-For", address).send(body);
      assert.equal(status, expected ? 201 : 403, address);
    }
  });

  it("counts without the port that some proxies write beside it, for the operator's lists", async () => {
    for (const [address, expected] of [
      ["10.1.2.3:5678", true],
      ["203.0.113.9:5678", false],
      ["203.0.113.9:5678, 10.1.2.3:5678", true],
      ["10.1.2.3:5678, 203.0.113.9:5678", false],
    ] as const) {
      assert.equal(
        await getsThrough({ TRUST_PROXY: "1" }, { "X-Forwarded-For": address }),
        expected,
        address,
      );
    }
    const app = appWith({
      TRUST_PROXY: "1",
      CREATE_ALLOW_CIDRS: "2001:db8::/32",
      OPEN_ALLOW_CIDRS: "2001:db8::/32",
    });
    for (const [address, inside] of [
      ["[2001:db8::1]:5678", true],
      ["[2001:db8::1]", true],
      ["[2001:db9::1]:5678", false],
    ] as const) {
      const secret = await sealSecret();
      const createFrom = (client: string) =>
        app.http.post("/api/v1/secrets").set("X-Forwarded-For", client).send(secret.body);
      await createFrom(address).expect(inside ? 201 : 403);
      await createFrom("2001:db8::2").expect(201);
      await app
        .open(secret)
        .set("X-Forwarded-For", address)
        .expect(inside ? 200 : 403);
    }
  });

  it("counts without it for a secret's networks and countries", async () => {
    const countryOf = (address: string) => ({ "10.1.2.3": "DE", "2001:db8::1": "DE" })[address] ?? "FR";
    const app = createTestApp({ env: { TRUST_PROXY: "1", GEOIP_DB: "/countries.mmdb" }, countryOf });
    for (const rules of [{ networks: ["10.0.0.0/8", "2001:db8::/32"] }, { countries: ["DE"] }]) {
      for (const [address, status] of [
        ["10.1.2.3:5678", 200],
        ["[2001:db8::1]:5678", 200],
        ["203.0.113.9:5678", 403],
        ["[2001:db9::1]:5678", 403],
      ] as const) {
        const secret = await sealSecret({ rules });
        await app.create(secret);
        await app.open(secret).set("X-Forwarded-For", address).expect(status);
      }
    }
  });

  it("is not that of a proxy which is trusted by its network, whatever port stands beside that", async () => {
    const env = { TRUST_PROXY: `${PROXY},10.0.0.0/8` };
    for (const chain of [`${OUTSIDE}:5678, 10.9.9.9:5678`, `${OUTSIDE}, 10.9.9.9:5678`]) {
      assert.equal(await getsThrough(env, { "X-Forwarded-For": chain }), false, chain);
    }
  });

  it("that nobody knows is refused where there is a list, and nowhere else", async () => {
    for (const address of [
      "unknown",
      "_hidden",
      "10.1.2.3:port",
      "10.1.2.3:5000:5000",
      "2001:db8::1]:5000",
      "[unknown]:5000",
      "[10.1.2.3]",
      "10.1.2",
      "10.0.0.0/8",
      "-",
    ]) {
      const everybody = {
        TRUST_PROXY: "1",
        CREATE_ALLOW_CIDRS: "0.0.0.0/0,::/0",
        OPEN_ALLOW_CIDRS: "0.0.0.0/0,::/0",
      };
      for (const [env, status] of [
        [everybody, 403],
        [{ TRUST_PROXY: "1" }, 201],
      ] as const) {
        const app = appWith(env);
        const { body } = await sealSecret();
        const answer = await app.http.post("/api/v1/secrets").set("X-Forwarded-For", address).send(body);
        assert.equal(answer.status, status, address);
      }
    }
  });

  it("is the connection's own where a dual-stack socket gives IPv4 as IPv6", async () => {
    const app = appWith({ CREATE_ALLOW_CIDRS: "127.0.0.0/8", OPEN_ALLOW_CIDRS: "127.0.0.1" });
    const secret = await sealSecret();
    await app.create(secret);
    await app.open(secret).expect(200);
  });
});
