import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sealSecret } from "../testing/sealed-secret.ts";
import { createTestApp, type TestApp } from "../testing/test-app.ts";

const create = ({ http }: TestApp, body: object) => http.post("/api/v1/secrets").send(body);

/** The fields that a 400 names. */
async function wrongFields(app: TestApp, body: object): Promise<string[]> {
  const response = await create(app, body)
    .expect(400)
    .expect("Content-Type", /^application\/problem\+json/);
  assert.equal(response.body.code, "invalid");
  return (response.body.errors ?? []).map(({ field }: { field: string }) => field);
}

describe("POST /api/v1/secrets", () => {
  it("names twenty wrong fields at most, however many a body has", async () => {
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`field${i}`, 1]));
    assert.equal((await wrongFields(createTestApp(), many)).length, 20);
  });

  it("keeps a secret and says until when", async () => {
    const app = createTestApp();
    const { body } = await sealSecret({ ttl: 3600 });
    const response = await create(app, body)
      .expect(201)
      .expect("Content-Type", /^application\/json/);
    assert.deepEqual(response.body, {
      id: body.id,
      state: "sealed",
      passphrase: false,
      size: body.size,
      createdAt: "2026-01-02T03:04:05.000Z",
      expiresAt: "2026-01-02T04:04:05.000Z",
    });
  });

  it("answers an identical retry like the first, later, and keeps nothing twice", async () => {
    const app = createTestApp();
    const { body } = await sealSecret();
    const first = await create(app, body).expect(201);
    app.advance(10);
    const again = await create(app, body).expect(201);
    assert.deepEqual(again.body, first.body);
    assert.equal(await app.store.countPending(), 1);
  });

  it("tells a retry what became of the secret meanwhile", async () => {
    const app = createTestApp();
    const secret = await sealSecret();
    await app.create(secret);
    await app.open(secret).expect(200);
    const again = await create(app, secret.body).expect(201);
    assert.equal(again.body.state, "opened");
  });

  it("refuses another secret under the same id, whichever field differs", async () => {
    const app = createTestApp();
    const { body } = await sealSecret();
    const other = await sealSecret();
    await create(app, body).expect(201);
    for (const changed of [
      { linkHash: other.body.linkHash },
      { accessHash: other.body.accessHash },
      { receiptHash: other.body.receiptHash },
      { share: other.body.share },
      { ttl: body.ttl + 1 },
    ]) {
      const response = await create(app, { ...body, ...changed }).expect(409);
      assert.equal(response.body.code, "conflict");
    }
  });

  it("accepts the shortest and the longest time to live", async () => {
    const app = createTestApp({ env: { MAX_TTL: "72h" } });
    for (const ttl of [60, 72 * 3600]) await create(app, (await sealSecret({ ttl })).body).expect(201);
  });

  it("refuses every other time to live, and none", async () => {
    const app = createTestApp({ env: { MAX_TTL: "72h" } });
    const { body } = await sealSecret();
    const bad = [0, -1, 1.5, 59, 72 * 3600 + 1, 1e9, 1e308, "60", "", null, true, [60], {}, undefined];
    for (const ttl of bad) {
      assert.deepEqual(await wrongFields(app, { ...body, ttl }), ["ttl"], JSON.stringify(ttl));
    }
    assert.equal(await app.store.countPending(), 0);
  });

  it("names every wrong or missing field at once, and says what each must be", async () => {
    const app = createTestApp();
    const response = await create(app, { id: "x", passphrase: "yes" }).expect(400);
    const errors: { field: string; message: string }[] = response.body.errors;
    const fields = errors.map(({ field }) => field).sort();
    const all = ["accessHash", "id", "linkHash", "passphrase", "receiptHash", "share", "size", "ttl"];
    assert.deepEqual(fields, all);
    for (const { message } of errors) assert.match(message, /^Must be .+\.$/);
  });

  it("refuses fields that it does not know", async () => {
    const app = createTestApp();
    const { body } = await sealSecret();
    assert.deepEqual(await wrongFields(app, { ...body, note: "hello", forever: true }), ["note", "forever"]);
    const text = JSON.stringify(body).replace("{", '{"__proto__":{"ttl":1},');
    const response = await app.http.post("/api/v1/secrets").type("application/json").send(text).expect(400);
    assert.deepEqual(
      response.body.errors.map(({ field }: { field: string }) => field),
      ["__proto__"],
    );
  });

  it("refuses any other spelling of base64url", async () => {
    const app = createTestApp();
    const { body } = await sealSecret();
    const stray = body.id.replace(/.$/, (last) => (last === "B" ? "C" : "B"));
    for (const id of [`${body.id}=`, `${body.id} `, stray, body.id.slice(1), `+${body.id.slice(1)}`]) {
      assert.deepEqual(await wrongFields(app, { ...body, id }), ["id"], id);
    }
    for (const name of ["linkHash", "accessHash", "receiptHash", "share"] as const) {
      assert.deepEqual(await wrongFields(app, { ...body, [name]: `${body[name]}=` }), [name]);
    }
  });

  it("refuses a size that is not the blob's", async () => {
    const app = createTestApp();
    const { body } = await sealSecret();
    for (const size of [body.size - 1, body.size + 1, 0, -1]) {
      assert.deepEqual(await wrongFields(app, { ...body, size }), ["size"]);
    }
    for (const size of [1104.5, "1104", null]) {
      assert.deepEqual(await wrongFields(app, { ...body, size }), ["size"]);
    }
  });

  it("keeps nothing but a blob that this secret's sender would have sealed", async () => {
    const app = createTestApp();
    const { body, blob } = await sealSecret();
    const other = await sealSecret();
    const asText = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");
    const changed = (at: number) => asText(blob.map((byte, i) => (i === at ? byte ^ 1 : byte)));
    const tooShort = blob.slice(0, 1103);
    const candidates = {
      "another magic": { blob: changed(0) },
      "another suite": { blob: changed(4) },
      "another chunk size": { blob: changed(5) },
      "another length of plaintext": { blob: changed(31) },
      "another secret's blob": { blob: other.body.blob },
      "a passphrase that the blob does not have": { passphrase: true },
      "a byte less": { blob: asText(tooShort), size: tooShort.length },
      nothing: { blob: "", size: 0 },
    };
    for (const [what, difference] of Object.entries(candidates)) {
      assert.deepEqual(await wrongFields(app, { ...body, ...difference }), ["blob"], what);
    }
  });

  it("accepts a secret of the largest size and refuses a larger one with 413", async () => {
    const app = createTestApp({ env: { MAX_SECRET_BYTES: "32KiB", MAX_FILES: "0" } });
    const largest = await sealSecret({ text: "x".repeat(32_768) });
    await create(app, largest.body).expect(201);
    const larger = await sealSecret({ text: "x".repeat(40_000) });
    const response = await create(app, larger.body).expect(413);
    assert.equal(response.body.code, "too-large");
    const response2 = await create(app, { ...largest.body, size: 10_000_000 }).expect(413);
    assert.equal(response2.body.code, "too-large");
  });

  it("takes a blob of up to 64 KiB with it, and says of a longer one how to send it", async () => {
    const app = createTestApp();
    const fitting = await sealSecret({ text: "x".repeat(63_000) });
    assert.ok(fitting.blob.length <= 65_536);
    await create(app, fitting.body).expect(201);
    const longer = await sealSecret({ text: "x".repeat(65_536) });
    const response = await create(app, longer.body).expect(413);
    assert.equal(response.body.code, "too-large");
    assert.match(response.body.detail, /in parts: PUT/);
  });

  it("refuses a body far beyond the limit by its length alone, and one that grows in secret", async () => {
    const app = createTestApp({ env: { MAX_SECRET_BYTES: "1KiB" } });
    const huge = JSON.stringify({ blob: "A".repeat(300_000) });
    const declared = await app.http.post("/api/v1/secrets").type("application/json").send(huge).expect(413);
    assert.equal(declared.body.code, "too-large");
    const request = app.http.post("/api/v1/secrets").type("application/json");
    request.set("Transfer-Encoding", "chunked");
    request.write(huge);
    const chunked = await request.expect(413);
    assert.equal(chunked.body.code, "too-large");
  });

  it("refuses bodies that are no JSON object", async () => {
    const app = createTestApp();
    for (const text of ["[]", "null", '"text"', "42", "{", "", "{} {}"]) {
      const request = app.http.post("/api/v1/secrets").type("application/json").send(text);
      const response = await request.expect(400);
      assert.equal(response.body.code, "invalid", text);
    }
  });

  it("refuses any other type, charset or encoding of a body", async () => {
    const app = createTestApp();
    const text = JSON.stringify((await sealSecret()).body);
    const send = (headers: Record<string, string>) =>
      app.http.post("/api/v1/secrets").set(headers).send(text);
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "application/jsonp",
      "application/json; charset=latin1",
    ]) {
      const response = await send({ "Content-Type": type }).expect(400);
      assert.equal(response.body.code, "invalid", type);
    }
    const zipped = await send({ "Content-Type": "application/json", "Content-Encoding": "gzip" }).expect(400);
    assert.equal(zipped.body.code, "invalid");
    await send({ "Content-Type": "application/json; charset=UTF-8" }).expect(201);
  });

  it("says 507 when the store is full, in the log too, and keeps what it had", async () => {
    const app = createTestApp({ env: { STORE_BUDGET: "1MiB", MAX_SECRET_BYTES: "512KiB" } });
    const fitting = [
      await sealSecret({ text: "x".repeat(500_000) }),
      await sealSecret({ text: "y".repeat(500_000) }),
    ];
    for (const secret of fitting) await app.upload(secret);
    const response = await create(app, (await sealSecret({ text: "z".repeat(60_000) })).body).expect(507);
    assert.equal(response.body.code, "full");
    assert.ok(app.logLines().some(({ msg }) => msg === "request failed"));
    for (const secret of fitting) await app.open(secret).expect(200);
  });
});
