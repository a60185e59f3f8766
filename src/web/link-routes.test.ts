import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { newClaim, type SealedSecret, sealSecret } from "../testing/sealed-secret.ts";
import { createTestApp, type TestApp } from "../testing/test-app.ts";

const state = (app: TestApp, secret: SealedSecret) => app.http.get("/api/v1/secret").set(app.asLink(secret));
const getBlob = (app: TestApp, secret: SealedSecret) =>
  app.http.get("/api/v1/secret/blob").set(app.asLink(secret)).responseType("blob");
const ack = (app: TestApp, secret: SealedSecret, claim: string) =>
  app.http.post("/api/v1/secret/ack").set(app.asLink(secret)).send({ claim });

async function created(options: Parameters<typeof sealSecret>[0] = {}, env: Record<string, string> = {}) {
  const app = createTestApp({ env });
  const secret = await sealSecret(options);
  await app.create(secret);
  return { app, secret };
}

describe("GET /api/v1/secret", () => {
  it("tells the holder of the link what there is", async () => {
    const { app, secret } = await created();
    const response = await state(app, secret).expect(200);
    assert.deepEqual(response.body, {
      state: "sealed",
      passphrase: false,
      size: secret.body.size,
      createdAt: "2026-01-02T03:04:05.000Z",
      expiresAt: "2026-01-02T04:04:05.000Z",
    });
  });

  it("counts tries only where there is a passphrase", async () => {
    const { app, secret } = await created({ passphrase: "rosebud" });
    const response = await state(app, secret).expect(200);
    assert.equal(response.body.passphrase, true);
    assert.equal(response.body.triesLeft, 10);
  });

  it("says 410 with the end and its time, for each end", async () => {
    const ends = {
      opened: async (app: TestApp, secret: SealedSecret) => void (await app.open(secret).expect(200)),
      expired: async (app: TestApp) => app.advance(3601),
      deleted: async (app: TestApp, secret: SealedSecret) =>
        void (await app.http.delete("/api/v1/receipt/secret").set(app.asReceipt(secret)).expect(200)),
    };
    for (const [end, bringAbout] of Object.entries(ends)) {
      const { app, secret } = await created();
      await bringAbout(app, secret);
      const endedAt = end === "expired" ? "2026-01-02T04:04:05.000Z" : "2026-01-02T03:04:05.000Z";
      for (const response of [
        await state(app, secret).expect(410),
        await getBlob(app, secret).responseType("text").expect(410),
        await app.open(secret).expect(410),
      ]) {
        const problem = JSON.parse(response.text ?? String(response.body));
        assert.equal(problem.code, "ended");
        assert.equal(problem.state, end);
        assert.equal(problem.endedAt, endedAt);
      }
    }
  });

  it("remembers the end for the retention, and then knows nothing", async () => {
    const { app, secret } = await created({}, { RETENTION: "5d" });
    await app.open(secret).expect(200);
    app.advance(5 * 86_400 - 1);
    await state(app, secret).expect(410);
    app.advance(1);
    await state(app, secret).expect(404);
  });
});

describe("GET /api/v1/secret/blob", () => {
  it("gives the sealed bytes, as often as asked", async () => {
    const { app, secret } = await created();
    for (let i = 0; i < 3; i++) {
      const response = await getBlob(app, secret)
        .expect(200)
        .expect("Content-Type", "application/octet-stream");
      assert.deepEqual(new Uint8Array(response.body), secret.blob);
      assert.equal(response.get("Content-Length"), String(secret.blob.length));
      assert.equal(response.get("Accept-Ranges"), "bytes");
    }
    await app.open(secret).expect(200);
  });

  it("gives the part that is asked for", async () => {
    const { app, secret } = await created();
    const length = secret.blob.length;
    for (const [range, start, end] of [
      ["bytes=0-0", 0, 0],
      ["bytes=100-199", 100, 199],
      ["bytes=1000-", 1000, length - 1],
      ["bytes=-4", length - 4, length - 1],
      ["bytes=1000-999999", 1000, length - 1],
    ] as const) {
      const response = await getBlob(app, secret).set("Range", range).expect(206);
      assert.equal(response.get("Content-Range"), `bytes ${start}-${end}/${length}`, range);
      assert.equal(response.get("Content-Length"), String(end - start + 1));
      assert.deepEqual(new Uint8Array(response.body), secret.blob.slice(start, end + 1));
    }
  });

  it("says 416 where no byte of it is asked for", async () => {
    const { app, secret } = await created();
    const response = await getBlob(app, secret).responseType("text").set("Range", "bytes=99999-").expect(416);
    assert.equal(response.get("Content-Range"), `bytes */${secret.blob.length}`);
    assert.equal(JSON.parse(response.text ?? String(response.body)).code, "range");
  });

  it("gives the whole where the range is not one that it understands", async () => {
    const { app, secret } = await created();
    for (const range of ["bytes=0-1,4-5", "lines=1-2", "bytes=x-y", "bytes=5-4,", "nonsense"]) {
      const response = await getBlob(app, secret).set("Range", range).expect(200);
      assert.equal(new Uint8Array(response.body).length, secret.blob.length, range);
    }
    await getBlob(app, secret).set({ Range: "bytes=0-1", "If-Range": '"some-tag"' }).expect(200);
  });

  it("still gives it to whoever opened it while the window lasts, and then no more", async () => {
    const { app, secret } = await created({}, { REDELIVERY_WINDOW: "30s" });
    await app.open(secret, { access: secret.access, claim: newClaim() }).expect(200);
    app.advance(29);
    await getBlob(app, secret).expect(200);
    app.advance(1);
    await getBlob(app, secret).expect(410);
  });
});

describe("POST /api/v1/secret/open", () => {
  it("hands the share over once", async () => {
    const { app, secret } = await created();
    const response = await app.open(secret).expect(200);
    assert.deepEqual(response.body, { share: secret.body.share });
    await app.open(secret).expect(410);
  });

  it("hands it over to one of many who ask at once", async () => {
    const { app, secret } = await created();
    const asked = Array.from({ length: 50 }, () =>
      app.open(secret, { access: secret.access, claim: newClaim() }),
    );
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    assert.equal(statuses.filter((status) => status === 200).length, 1);
    assert.equal(statuses.filter((status) => status === 410).length, 49);
  });

  it("gives it again to the same claim within the window, and to no other", async () => {
    const { app, secret } = await created({}, { REDELIVERY_WINDOW: "30s" });
    const claim = newClaim();
    await app.open(secret, { access: secret.access, claim }).expect(200);
    app.advance(29);
    const again = await app.open(secret, { access: secret.access, claim }).expect(200);
    assert.deepEqual(again.body, { share: secret.body.share });
    await app.open(secret, { access: secret.access, claim: newClaim() }).expect(410);
    await app.open(secret).expect(410);
    app.advance(1);
    await app.open(secret, { access: secret.access, claim }).expect(410);
  });

  it("gives nothing again where the window is 0", async () => {
    const { app, secret } = await created({}, { REDELIVERY_WINDOW: "0" });
    const claim = newClaim();
    await app.open(secret, { access: secret.access, claim }).expect(200);
    await app.open(secret, { access: secret.access, claim }).expect(410);
  });

  it("counts wrong passphrases down, keeps the secret sealed, and opens with the right one", async () => {
    const { app, secret } = await created({ passphrase: "rosebud" }, { PASSPHRASE_TRIES: "3" });
    for (const triesLeft of [2, 1]) {
      const response = await app.open(secret, { access: secret.wrongAccess }).expect(403);
      assert.equal(response.body.code, "wrong-passphrase");
      assert.equal(response.body.triesLeft, triesLeft);
      const seen = await state(app, secret).expect(200);
      assert.equal(seen.body.state, "sealed");
      assert.equal(seen.body.triesLeft, triesLeft);
    }
    await app.open(secret).expect(200);
  });

  it("locks after the last try, for the right passphrase too, and destroys nothing", async () => {
    const { app, secret } = await created({ passphrase: "rosebud" }, { PASSPHRASE_TRIES: "3" });
    for (let i = 0; i < 3; i++) await app.open(secret, { access: secret.wrongAccess }).expect(403);
    for (const access of [secret.wrongAccess, secret.access]) {
      const response = await app.open(secret, { access }).expect(423);
      assert.equal(response.body.code, "locked");
    }
    const seen = await state(app, secret).expect(200);
    assert.equal(seen.body.state, "locked");
    assert.equal(seen.body.triesLeft, 0);
    await getBlob(app, secret).expect(200);
  });

  it("refuses a body that is not an access proof and perhaps a claim, and uses nothing up", async () => {
    const { app, secret } = await created();
    for (const [body, field] of [
      [{}, "access"],
      [{ access: secret.access.slice(1) }, "access"],
      [{ access: null }, "access"],
      [{ access: secret.access, claim: null }, "claim"],
      [{ access: secret.access, claim: secret.access }, "claim"],
      [{ access: secret.access, passphrase: "rosebud" }, "passphrase"],
    ] as const) {
      const response = await app.open(secret, body).expect(400);
      assert.equal(response.body.code, "invalid");
      assert.deepEqual(
        response.body.errors.map((error: { field: string }) => error.field),
        [field],
      );
    }
    await app.open(secret, { access: secret.access, more: "x".repeat(5000) }).expect(413);
    await app.open(secret).expect(200);
  });
});

describe("POST /api/v1/secret/ack", () => {
  it("ends the window for the claim that has what it needs, and may be said twice", async () => {
    const { app, secret } = await created();
    const claim = newClaim();
    await app.open(secret, { access: secret.access, claim }).expect(200);
    for (let i = 0; i < 2; i++) {
      const response = await ack(app, secret, claim).expect(204);
      assert.equal(response.text, "");
    }
    await getBlob(app, secret).expect(410);
    await app.open(secret, { access: secret.access, claim }).expect(410);
  });

  it("refuses any other claim, and leaves the window open", async () => {
    const { app, secret } = await created();
    const claim = newClaim();
    const early = await ack(app, secret, claim).expect(409);
    assert.equal(early.body.code, "conflict");
    await app.open(secret, { access: secret.access, claim }).expect(200);
    await ack(app, secret, newClaim()).expect(409);
    await app.open(secret, { access: secret.access, claim }).expect(200);
    await app.http.post("/api/v1/secret/ack").set(app.asLink(secret)).send({}).expect(400);
  });
});
