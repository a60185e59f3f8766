import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { describe, it } from "node:test";
import fc from "fast-check";
import { BLOB_BLOCK } from "../store/store.ts";
import { type SealedSecret, sealSecret } from "../testing/sealed-secret.ts";
import { createTestApp, type TestApp } from "../testing/test-app.ts";
import { until } from "../testing/until.ts";

const largeSecret = (length = 200_000) => sealSecret({ text: "x".repeat(length) });

const download = async (app: TestApp, secret: SealedSecret) => {
  const answer = await app.http.get("/api/v1/secret/blob").set(app.asLink(secret)).responseType("blob");
  return { status: answer.status, bytes: new Uint8Array(answer.body) };
};
const receiptOf = async (app: TestApp, secret: SealedSecret) =>
  (await app.http.get("/api/v1/receipt").set(app.asReceipt(secret)).expect(200)).body;

/** Sends the start of a part once the server has begun to read it; resolves with how to break the connection. */
async function beginPart(url: string, secret: SealedSecret, length: number): Promise<() => void> {
  const size = secret.blob.length;
  const headers = {
    Authorization: `Bearer ${secret.receipt}`,
    "Content-Type": "application/octet-stream",
    "Content-Range": `bytes 0-${size - 1}/${size}`,
    "Content-Length": size,
    Expect: "100-continue",
  };
  const sent = request(`${url}/api/v1/secret/blob`, { method: "PUT", headers });
  sent.on("error", () => {});
  sent.flushHeaders();
  // Node says it as the request comes, and hands the request over at once.
  await once(sent, "continue");
  await new Promise<void>((resolve) => sent.write(secret.blob.subarray(0, length), () => resolve()));
  return () => void sent.destroy();
}

/** The same, waits until `kept` says that it arrived, and breaks the connection. */
async function sendAndBreak(url: string, secret: SealedSecret, length: number, kept: () => Promise<boolean>) {
  const stop = await beginPart(url, secret, length);
  // Given to the system; the server may still have to read it.
  setTimeout(stop, 100);
  await until(kept);
}

describe("a blob in parts", () => {
  it("is announced by a create without it, and nothing can be opened until it is whole", async () => {
    const app = createTestApp();
    const secret = await largeSecret();
    const { blob, ...body } = secret.body;
    const created = await app.http.post("/api/v1/secrets").send(body).expect(201);
    assert.deepEqual(created.body, {
      id: body.id,
      state: "uploading",
      passphrase: false,
      size: body.size,
      createdAt: "2026-01-02T03:04:05.000Z",
      expiresAt: "2026-01-02T03:34:05.000Z",
      received: 0,
      missing: [[0, body.size - 1]],
    });
    await app.http.get("/api/v1/secret").set(app.asLink(secret)).expect(404);
    await app.http.get("/api/v1/secret/blob").set(app.asLink(secret)).expect(404);
    await app.open(secret).expect(404);
    assert.equal(await app.store.countPending(), 0);
  });

  it("is sealed when its last byte has arrived, and its time to live begins then", async () => {
    const app = createTestApp();
    const secret = await largeSecret();
    const size = secret.blob.length;
    await app.announce(secret);
    const first = await app.sendPart(secret, 0, 100_000).expect(200);
    assert.equal(first.body.state, "uploading");
    assert.equal(first.body.received, 100_000);
    assert.deepEqual(first.body.missing, [[100_000, size - 1]]);
    app.advance(60);
    const last = await app.sendPart(secret, 100_000, size).expect(200);
    assert.equal(last.body.state, "sealed");
    assert.equal(last.body.createdAt, "2026-01-02T03:04:05.000Z");
    assert.equal(last.body.expiresAt, "2026-01-02T04:05:05.000Z");
    assert.deepEqual((await download(app, secret)).bytes, secret.blob);
    assert.deepEqual(
      (await receiptOf(app, secret)).events.map(({ kind }: { kind: string }) => kind),
      ["sealed"],
    );
    await app.open(secret).expect(200);
  });

  it("may come in any order, overlapping and twice, and is what it was", async () => {
    const secret = await largeSecret(1_500_000);
    const size = secret.blob.length;
    const order = fc.array(fc.tuple(fc.nat(size - 33), fc.integer({ min: 1, max: 700_000 })), {
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(order, async (pieces) => {
        const app = createTestApp();
        await app.announce(secret);
        for (const [at, length] of pieces) {
          const start = at < 32 ? 0 : at;
          await app.sendPart(secret, start, Math.min(size, start + Math.max(32, length))).expect(200);
        }
        for (;;) {
          const { state, missing } = await receiptOf(app, secret);
          if (state === "sealed") break;
          const [[first, last]] = missing;
          await app.sendPart(secret, first, last + 1).expect(200);
        }
        assert.deepEqual((await download(app, secret)).bytes, secret.blob);
      }),
      { numRuns: 15 },
    );
  });

  it("is answered the same when it is sent again after the seal, and stays as it is", async () => {
    const app = createTestApp();
    const secret = await largeSecret();
    await app.upload(secret);
    const other = { ...secret, blob: secret.blob.map((byte) => byte ^ 1) };
    const again = await app.sendPart(other, 0, secret.blob.length).expect(200);
    assert.equal(again.body.state, "sealed");
    assert.deepEqual((await download(app, secret)).bytes, secret.blob);
  });

  it("keeps what arrived of a part that was cut, so that only the rest is sent again", async () => {
    const app = createTestApp();
    const secret = await largeSecret(3 * BLOB_BLOCK);
    await app.announce(secret);
    const size = secret.blob.length;
    const received = async () => (await receiptOf(app, secret)).received;
    await app.listening(async (url) => {
      await sendAndBreak(url, secret, BLOB_BLOCK + 1_000, async () => (await received()) >= BLOB_BLOCK);
      // The rest of what was sent comes when the break is noticed.
      await until(async () => (await received()) === BLOB_BLOCK + 1_000);
    });
    await app.sendPart(secret, BLOB_BLOCK + 1_000, size).expect(200);
    assert.deepEqual((await download(app, secret)).bytes, secret.blob);
  });

  it("comes in 16 parts at a time from one address, and in another when one of these is over", async () => {
    const app = createTestApp();
    const secret = await largeSecret();
    await app.announce(secret);
    await app.listening(async (url) => {
      const stops = await Promise.all(Array.from({ length: 16 }, () => beginPart(url, secret, 100)));
      const next = () => app.sendPart(secret, 0, 32);
      const refused = await next().expect(429).expect("Retry-After", "1");
      assert.match(refused.body.detail, /one by one/);
      stops[0]?.();
      await until(async () => (await next()).status === 200);
      for (const stop of stops) stop();
    });
  });

  it("is refused where its start is not what this secret's sender would have sealed", async () => {
    const app = createTestApp();
    const secret = await largeSecret();
    await app.announce(secret);
    const other = await largeSecret();
    await app.sendPart({ ...secret, blob: other.blob }, 0, 1_000).expect(400);
    const short = await app.sendPart(secret, 0, 31).expect(400);
    assert.match(short.body.detail, /first 32 bytes/);
    await app.sendPart(secret, 1, 100).expect(400);
    assert.equal((await receiptOf(app, secret)).received, 0);
    await app.sendPart(secret, 0, 32).expect(200);
  });

  it("says what is wrong with a range, a type or an encoding, and keeps nothing of it", async () => {
    const app = createTestApp();
    const secret = await largeSecret();
    await app.announce(secret);
    const size = secret.blob.length;
    const put = (headers: Record<string, string>, body = Buffer.from(secret.blob.subarray(0, 100))) =>
      app.http
        .put("/api/v1/secret/blob")
        .set({ ...app.asReceipt(secret), "Content-Type": "application/octet-stream", ...headers })
        .send(body);
    for (const range of [
      "",
      "bytes",
      "bytes 0-99",
      "bytes 0-99/*",
      `bytes 0-98/${size}`,
      `bytes 0-100/${size}`,
      `bytes 0-99/${size + 1}`,
      `bytes 99-0/${size}`,
      `bytes ${size - 1}-${size}/${size}`,
      `bytes 00-99/${size}`,
      `bytes -1-99/${size}`,
      `items 0-99/${size}`,
      `bytes 0-99/${size},bytes 0-99/${size}`,
      `bytes 0-1e2/${size}`,
    ]) {
      const answer = await put({ "Content-Range": range }).expect(400);
      assert.equal(answer.body.code, "invalid", range);
    }
    const range = `bytes 0-99/${size}`;
    await put({ "Content-Range": range, "Content-Type": "text/plain" }).expect(400);
    await put({ "Content-Range": range, "Content-Encoding": "gzip" }).expect(400);
    assert.equal((await receiptOf(app, secret)).received, 0);
    await put({ "Content-Range": range }).expect(200);
  });

  it("has to have as many bytes as its range, also where no length is announced", async () => {
    const app = createTestApp();
    const secret = await largeSecret();
    await app.announce(secret);
    const chunked = (bytes: number, last: number) => {
      const sent = app.http
        .put("/api/v1/secret/blob")
        .set({ ...app.asReceipt(secret), "Content-Range": `bytes 0-${last}/${secret.blob.length}` })
        .type("application/octet-stream")
        .set("Transfer-Encoding", "chunked");
      sent.write(Buffer.from(secret.blob.subarray(0, bytes)));
      return sent;
    };
    assert.match((await chunked(2_000, 999).expect(400)).body.detail, /longer than/);
    assert.match((await chunked(1_000, 1_999).expect(400)).body.detail, /shorter than/);
    await chunked(2_000, 1_999).expect(200);
  });

  it("can be sent by nobody but the receipt's holder, and not for a secret that has ended", async () => {
    const app = createTestApp();
    const secret = await largeSecret();
    const stranger = await largeSecret();
    await app.announce(secret);
    await app.sendPart({ ...secret, receipt: secret.link }, 0, 100).expect(401);
    await app.sendPart(stranger, 0, 100).expect(404);
    await app.http.delete("/api/v1/receipt/secret").set(app.asReceipt(secret)).expect(200);
    const gone = await app.sendPart(secret, 0, 100).expect(410);
    assert.equal(gone.body.state, "deleted");
  });

  it("is given up half an hour after its last part, and never counts as a secret", async () => {
    const app = createTestApp();
    const secret = await largeSecret();
    await app.announce(secret);
    app.advance(29 * 60);
    await app.sendPart(secret, 0, 1_000).expect(200);
    app.advance(29 * 60);
    assert.equal((await receiptOf(app, secret)).state, "uploading");
    app.advance(2 * 60);
    const receipt = await receiptOf(app, secret);
    assert.equal(receipt.state, "expired");
    assert.ok(receipt.events.every(({ kind }: { kind: string }) => kind !== "sealed"));
    await app.sendPart(secret, 1_000, 2_000).expect(410);
    assert.equal(await app.store.countPending(), 0);
    assert.deepEqual(await app.store.collectExpired(), []);
    assert.deepEqual(await app.store.collectAbandoned(), [secret.body.id]);
  });

  it("has to wait where its address has too many unfinished ones, until one of those ends", async () => {
    const app = createTestApp({ env: { UPLOADS_PER_ADDRESS: "2" } });
    const [first, second, third] = [await largeSecret(), await largeSecret(), await largeSecret()];
    await app.announce(first);
    await app.announce(second);
    const { blob, ...body } = third.body;
    const refused = await app.http.post("/api/v1/secrets").send(body).expect(429);
    assert.equal(refused.body.code, "limited");
    assert.equal(refused.get("Retry-After"), "60");
    // One that had been begun before may be announced again.
    await app.announce(second);
    await app.sendPart(first, 0, first.blob.length).expect(200);
    await app.announce(third);
  });

  it("is refused with 507 and a time where all unfinished ones together would be too much", async () => {
    const app = createTestApp({ env: { MAX_SECRET_BYTES: "1MiB", UPLOADS_MAX_BYTES: "2MiB" } });
    for (let i = 0; i < 2; i++) await app.announce(await largeSecret(1_000_000));
    const { blob, ...body } = (await largeSecret(1_000_000)).body;
    const refused = await app.http.post("/api/v1/secrets").send(body).expect(507);
    assert.equal(refused.body.code, "full");
    assert.equal(refused.get("Retry-After"), "60");
  });

  it("is sent back by range from any byte to any other", async () => {
    const app = createTestApp();
    const secret = await largeSecret(3 * BLOB_BLOCK);
    await app.upload(secret);
    const size = secret.blob.length;
    for (const [start, end] of [
      [0, 0],
      [BLOB_BLOCK - 1, BLOB_BLOCK],
      [5, 2 * BLOB_BLOCK + 7],
      [size - 1, size - 1],
      [0, size - 1],
    ] as const) {
      const answer = await app.http
        .get("/api/v1/secret/blob")
        .set({ ...app.asLink(secret), Range: `bytes=${start}-${end}` })
        .responseType("blob")
        .expect(206);
      assert.equal(answer.get("Content-Range"), `bytes ${start}-${end}/${size}`);
      assert.deepEqual(new Uint8Array(answer.body), secret.blob.slice(start, end + 1));
    }
  });
});
