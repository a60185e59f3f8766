import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sealSecret } from "../testing/sealed-secret.ts";
import { createTestApp, type TestApp } from "../testing/test-app.ts";

const INTRANET = "10.1.2.3";
const OUTSIDE = "203.0.113.9";
const from = (address: string) => ({ "X-Forwarded-For": address });
const HTML = { Accept: "text/html" };

function postTo(app: TestApp, body: object, address = INTRANET) {
  return app.http.post("/api/v1/secrets").set(from(address)).send(body);
}

describe("Rules that come with a create", () => {
  it("are kept in one way, so that the same create may come again however it writes them", async () => {
    const app = createTestApp({ env: { GEOIP_DB: "/x.mmdb" } });
    const { body } = await sealSecret();
    const sent = { networks: ["2001:DB8::/32", "10.0.0.0/8"], countries: ["DE", "AT"] };
    await postTo(app, { ...body, rules: sent }).expect(201);
    const again = { countries: ["AT", "DE"], networks: ["::ffff:10.0.0.0/104", "2001:db8::/32"] };
    await postTo(app, { ...body, rules: again }).expect(201);
    await postTo(app, { ...body, rules: { ...again, countries: ["AT"] } }).expect(409);
    await postTo(app, body).expect(409);
    const record = await app.store.read(body.id);
    assert.equal(record?.rules, '{"networks":["10.0.0.0/8","2001:db8::/32"],"countries":["AT","DE"]}');
  });

  it("are refused with the field that is wrong", async () => {
    const app = createTestApp();
    const { body } = await sealSecret({ ttl: 3600 });
    for (const [rules, field, says] of [
      [{ networks: ["10.0.0.0/8", "office"] }, "rules.networks.1", /like 10\.0\.0\.0\/8/],
      [{ networks: ["10.0.0.1/8"] }, "rules.networks.0", /Write 10\.0\.0\.0\/8/],
      [{ networks: ["10.0.0.0/8"], moon: "full" }, "rules.moon", /There is no such field/],
      [{ countries: ["DE"] }, "rules.countries", /GEOIP_DB is not set/],
      [{ notBefore: "2026-01-02T04:04:05Z" }, "rules.notBefore", /before the secret is deleted/],
      [
        { hours: { zone: "Mars", days: [1], from: "09:00", to: "17:00" } },
        "rules.hours.zone",
        /Europe\/Berlin/,
      ],
      [{}, "rules", /Must name/],
      [null, "rules", /Must be an object/],
    ] as const) {
      const answer = await postTo(app, { ...body, rules }).expect(400);
      assert.equal(answer.body.code, "invalid");
      assert.equal(answer.body.errors.length, 1, answer.text);
      assert.equal(answer.body.errors[0].field, field);
      assert.match(answer.body.errors[0].message, says);
    }
    await postTo(app, { ...body, rules: { notBefore: "2026-01-02T04:04:04Z" } }).expect(201);
  });

  it("hold for a secret that comes in parts too", async () => {
    const app = createTestApp({ env: { TRUST_PROXY: "1" } });
    const secret = await sealSecret({ text: "x".repeat(100_000), rules: { networks: ["10.0.0.0/8"] } });
    await app.upload(secret, 50_000);
    assert.equal((await app.open(secret).set(from(OUTSIDE)).expect(403)).body.reason, "network");
    await app.open(secret).set(from(INTRANET)).expect(200);
  });
});

describe("The operator's list of who may create", () => {
  const env = { TRUST_PROXY: "1", CREATE_ALLOW_CIDRS: "10.0.0.0/8,fd00::/8" };

  it("lets a create and each part of an upload through from its networks only", async () => {
    const app = createTestApp({ env });
    const secret = await sealSecret({ text: "x".repeat(100_000) });
    const { blob, ...announced } = secret.body;
    const refused = await postTo(app, announced, OUTSIDE).expect(403);
    assert.deepEqual([refused.body.code, refused.body.reason], ["refused", "network"]);
    assert.equal(await app.store.read(secret.body.id), undefined);
    await postTo(app, announced, "fd12::1").expect(201);
    const part = () => app.sendPart(secret, 0, secret.blob.length);
    assert.equal((await part().set(from(OUTSIDE)).expect(403)).body.code, "refused");
    assert.equal((await app.store.read(secret.body.id))?.upload?.received, 0);
    await part().set(from(INTRANET)).expect(200);
    await app.open(secret).set(from(OUTSIDE)).expect(200);
    const told = app.logLines().filter(({ audit }) => audit === "create-refused");
    assert.deepEqual(
      told.map(({ reason }) => reason),
      ["network", "network"],
    );
    const { values } = await app.metrics.refused.get();
    assert.deepEqual(values, [{ labels: { act: "create", reason: "network" }, value: 2 }]);
  });

  it("counts refused creates against the address, so that they can't flood the audit trail", async () => {
    const env = { CREATE_ALLOW_CIDRS: "10.0.0.0/8", TRUST_PROXY: "1", RATE_LIMIT_CREATE: "2/10m" };
    const app = createTestApp({ env });
    const { body } = await sealSecret();
    for (const status of [403, 403, 429]) await postTo(app, body, OUTSIDE).expect(status);
  });

  it("counts refused parts of an upload as it does refused creates, and allowed ones not", async () => {
    const app = createTestApp({ env: { ...env, RATE_LIMIT_CREATE: "2/10m" } });
    const secret = await sealSecret({ text: "x".repeat(100_000) });
    const { blob, ...announced } = secret.body;
    await postTo(app, announced).expect(201);
    const part = (address: string) => app.sendPart(secret, 0, 1000).set(from(address));
    for (let time = 0; time < 4; time++) await part(INTRANET).expect(200);
    for (const status of [403, 403, 429, 429]) await part(OUTSIDE).expect(status);
    assert.equal(app.logLines().filter(({ audit }) => audit === "create-refused").length, 2);
    const other = await sealSecret();
    await postTo(app, other.body, OUTSIDE).expect(429);
    await postTo(app, other.body).expect(201);
  });

  it("writes down nothing of a part for what has ended", async () => {
    const app = createTestApp({ env });
    const secret = await sealSecret();
    await postTo(app, secret.body).expect(201);
    await app.open(secret).expect(200);
    const { body } = await app.sendPart(secret, 0, secret.blob.length).set(from(OUTSIDE)).expect(410);
    assert.deepEqual([body.code, body.state], ["ended", "opened"]);
    assert(!app.logLines().some(({ audit }) => audit === "create-refused"));
  });

  it("writes down a refused part of somebody who has proven to be its sender only", async () => {
    const app = createTestApp({ env });
    const secret = await sealSecret({ text: "x".repeat(100_000) });
    await app.sendPart(secret, 0, secret.blob.length).set(from(OUTSIDE)).expect(404);
    assert(!app.logLines().some(({ audit }) => audit === "create-refused"));
  });

  it("keeps receipts and opening open to everybody", async () => {
    const app = createTestApp({ env });
    const secret = await sealSecret();
    await postTo(app, secret.body).expect(201);
    await app.http
      .get("/api/v1/receipt")
      .set({ ...app.asReceipt(secret), ...from(OUTSIDE) })
      .expect(200);
    for (const page of ["/s", "/r"])
      await app.http
        .get(page)
        .set({ ...HTML, ...from(OUTSIDE) })
        .expect(200);
    await app.open(secret).set(from(OUTSIDE)).expect(200);
  });

  it("leads nobody else to where one could create, from any page", async () => {
    const redis = { REDIS_URL: "redis://localhost", LINK_URL: "https://open.example" };
    for (const [app, paths] of [
      [createTestApp({ env }), ["/", "/s", "/r", "/links", "/assisted", "/assisted/open", "/nothing"]],
      [createTestApp({ env: { ...env, ...redis, ROLE: "create" } }), ["/s"]],
    ] as const) {
      for (const path of paths) {
        const seenFrom = async (address: string) =>
          (await app.http.get(path).set({ ...HTML, ...from(address) })).text;
        assert.match(await seenFrom(INTRANET), /<a class="brand" href="\/">Waxseal</, path);
        const text = await seenFrom(OUTSIDE);
        assert.match(text, /<span class="brand">Waxseal</, path);
        assert(!/<a [^>]*href="\/(assisted)?"|>Share a secret</.test(text), path);
      }
    }
  });

  it("shows everybody else a plain page, with no script and no way to send anything", async () => {
    const app = createTestApp({ env });
    for (const path of ["/", "/assisted"]) {
      const { text } = await app.http
        .get(path)
        .set({ ...HTML, ...from(OUTSIDE) })
        .expect(403);
      assert.match(text, /can&#39;t be created from your network\. Ask your administrator/);
      assert(!/<script|<form|Share a secret/.test(text));
      await app.http
        .get(path)
        .set({ ...HTML, ...from(INTRANET) })
        .expect(200);
    }
    assert.equal(app.logLines().filter(({ audit }) => audit === "create-refused").length, 0);
  });
});

describe("The operator's demands on a new secret", () => {
  it("include a passphrase with REQUIRE_PASSPHRASE, which the pages say", async () => {
    const app = createTestApp({ env: { REQUIRE_PASSPHRASE: "on" } });
    const bare = await postTo(app, (await sealSecret()).body).expect(400);
    assert.deepEqual(
      bare.body.errors.map(({ field }: { field: string }) => field),
      ["passphrase"],
    );
    await postTo(app, (await sealSecret({ passphrase: "rosebud" })).body).expect(201);
    const { text } = await app.http.get("/").set(HTML).expect(200);
    assert.match(text, /<form id="compose"[^>]* data-passphrase-required/);
    assert(!text.includes("Passphrase (optional)"));
    const told = app.logLines().find(({ audit }) => audit === "create-refused");
    assert.equal(told?.reason, "passphrase");
  });

  it("include a time to live by network, of which the page offers what is allowed there", async () => {
    const env = { TRUST_PROXY: "1", MAX_TTL_BY_NETWORK: "10.1.0.0/16=72h,10.0.0.0/8=12h,0.0.0.0/0=4h" };
    const app = createTestApp({ env });
    for (const [address, hours, chosen] of [
      [INTRANET, 72, 24],
      ["10.2.0.1", 12, 12],
      [OUTSIDE, 4, 4],
      ["2001:db8::1", 72, 24],
      ["unknown", 4, 4],
    ] as const) {
      const longest = hours * 3600;
      const { body } = await sealSecret({ ttl: longest + 1 });
      const refused = await postTo(app, body, address).expect(400);
      assert.deepEqual(
        refused.body.errors.map(({ field }: { field: string }) => field),
        ["ttl"],
      );
      await postTo(app, { ...body, ttl: longest }, address).expect(201);
      const { text } = await app.http
        .get("/")
        .set({ ...HTML, ...from(address) })
        .expect(200);
      const offered = [...text.matchAll(/<option value="(\d+)"( selected)?>/g)];
      assert.equal(Math.max(...offered.map(([, seconds]) => Number(seconds))), longest, address);
      assert.deepEqual(
        offered.filter(([, , selected]) => selected).map(([, seconds]) => Number(seconds)),
        [chosen * 3600],
      );
    }
  });

  it("are told on the create page, with whether it can offer countries and where its links lead", async () => {
    const plain = await createTestApp().http.get("/").set(HTML).expect(200);
    assert(!/data-countries|data-passphrase-required/.test(plain.text));
    assert.match(plain.text, / data-link-url="http:\/\/localhost:8080"/);
    const env = { GEOIP_DB: "/x.mmdb", LINK_URL: "https://open.example/x" };
    const { text } = await createTestApp({ env }).http.get("/").set(HTML).expect(200);
    assert.match(text, /<form id="compose"[^>]* data-countries/);
    assert.match(
      text,
      / data-public-url="http:\/\/localhost:8080" data-link-url="https:\/\/open\.example\/x"/,
    );
  });
});
