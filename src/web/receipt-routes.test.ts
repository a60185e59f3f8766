import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { newClaim, type SealedSecret, sealSecret } from "../testing/sealed-secret.ts";
import { createTestApp, type TestApp } from "../testing/test-app.ts";

const read = (app: TestApp, secret: SealedSecret) =>
  app.http.get("/api/v1/receipt").set(app.asReceipt(secret));
const remove = (app: TestApp, secret: SealedSecret) =>
  app.http.delete("/api/v1/receipt/secret").set(app.asReceipt(secret));
const unlock = (app: TestApp, secret: SealedSecret) =>
  app.http.post("/api/v1/receipt/unlock").set(app.asReceipt(secret));

async function created(options: Parameters<typeof sealSecret>[0] = {}, env: Record<string, string> = {}) {
  const app = createTestApp({ env });
  const secret = await sealSecret(options);
  await app.create(secret);
  return { app, secret };
}

describe("GET /api/v1/receipt", () => {
  it("shows the sender what happened, and when, in order", async () => {
    const { app, secret } = await created({ passphrase: "rosebud" });
    const claim = newClaim();
    app.advance(1);
    await app.open(secret, { access: secret.wrongAccess }).expect(403);
    app.advance(1);
    await app.open(secret, { access: secret.access, claim }).expect(200);
    app.advance(1);
    await app.http.post("/api/v1/secret/ack").set(app.asLink(secret)).send({ claim }).expect(204);
    const response = await read(app, secret).expect(200);
    assert.deepEqual(response.body, {
      state: "opened",
      passphrase: true,
      size: secret.body.size,
      createdAt: "2026-01-02T03:04:05.000Z",
      expiresAt: "2026-01-02T04:04:05.000Z",
      endedAt: "2026-01-02T03:04:07.000Z",
      events: [
        { at: "2026-01-02T03:04:05.000Z", kind: "sealed" },
        { at: "2026-01-02T03:04:06.000Z", kind: "wrong-passphrase" },
        { at: "2026-01-02T03:04:07.000Z", kind: "opened" },
        { at: "2026-01-02T03:04:08.000Z", kind: "received" },
      ],
    });
  });

  it("answers 200 for a secret that ran out, and says so", async () => {
    const { app, secret } = await created({ ttl: 60 });
    app.advance(60);
    const response = await read(app, secret).expect(200);
    assert.equal(response.body.state, "expired");
    assert.equal(response.body.endedAt, "2026-01-02T03:05:05.000Z");
    assert.deepEqual(response.body.events.at(-1), { at: "2026-01-02T03:05:05.000Z", kind: "expired" });
  });

  it("does not open the secret, and the link does not read the receipt", async () => {
    const { app, secret } = await created();
    await app.http.get("/api/v1/secret").set(app.asReceipt(secret)).expect(401);
    await app.http.get("/api/v1/receipt").set(app.asLink(secret)).expect(401);
    const post = app.http.post("/api/v1/secret/open").set(app.asReceipt(secret));
    await post.send({ access: secret.access }).expect(401);
    await app.http.delete("/api/v1/receipt/secret").set(app.asLink(secret)).expect(401);
    await app.open(secret).expect(200);
  });
});

describe("DELETE /api/v1/receipt/secret", () => {
  it("destroys a sealed secret, and may be said twice", async () => {
    const { app, secret } = await created();
    const first = await remove(app, secret).expect(200);
    assert.equal(first.body.state, "deleted");
    app.advance(5);
    const second = await remove(app, secret).expect(200);
    assert.deepEqual(second.body, first.body);
    await app.open(secret).expect(410);
  });

  it("destroys a locked one too", async () => {
    const { app, secret } = await created({ passphrase: "rosebud" }, { PASSPHRASE_TRIES: "1" });
    await app.open(secret, { access: secret.wrongAccess }).expect(403);
    const response = await remove(app, secret).expect(200);
    assert.equal(response.body.state, "deleted");
  });

  it("says how it ended where it ended otherwise", async () => {
    const { app, secret } = await created();
    await app.open(secret).expect(200);
    const response = await remove(app, secret).expect(410);
    assert.equal(response.body.code, "ended");
    assert.equal(response.body.state, "opened");
    assert.equal((await read(app, secret)).body.state, "opened");
  });
});

describe("POST /api/v1/receipt/unlock", () => {
  it("gives a locked secret all its tries back", async () => {
    const { app, secret } = await created({ passphrase: "rosebud" }, { PASSPHRASE_TRIES: "2" });
    for (let i = 0; i < 2; i++) await app.open(secret, { access: secret.wrongAccess }).expect(403);
    await app.open(secret).expect(423);
    const response = await unlock(app, secret).expect(200);
    assert.equal(response.body.state, "sealed");
    assert.equal(response.body.triesLeft, 2);
    await app.open(secret).expect(200);
  });

  it("takes an empty object or nothing at all as its body", async () => {
    const { app, secret } = await created({ passphrase: "rosebud" });
    await unlock(app, secret).send({}).expect(200);
    const response = await unlock(app, secret).send({ tries: 1000 }).expect(400);
    assert.deepEqual(
      response.body.errors.map(({ field }: { field: string }) => field),
      ["tries"],
    );
  });

  it("brings nothing back that has ended", async () => {
    const { app, secret } = await created();
    await remove(app, secret).expect(200);
    const response = await unlock(app, secret).expect(410);
    assert.equal(response.body.state, "deleted");
  });
});
