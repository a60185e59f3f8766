import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LIMITS } from "../store/contract-harness.ts";
import { createMemoryStore } from "../store/memory.ts";
import { type Store, StoreUnavailableError } from "../store/store.ts";
import { type SealedSecret, sealSecret } from "../testing/sealed-secret.ts";
import { createTestApp, type TestApp, type TestAppOptions } from "../testing/test-app.ts";
import { createUploadPlaces } from "./upload-places.ts";

const largeSecret = () => sealSecret({ text: "x".repeat(100_000) });

const twoPlaces = (options: TestAppOptions = {}) =>
  createTestApp({ ...options, env: { UPLOADS_PER_ADDRESS: "2", ...options.env } });

/** A create without the blob, as announced by its sender or with other values. */
const announce = (app: TestApp, { body: { blob, ...body } }: SealedSecret, other: object = {}) =>
  app.http.post("/api/v1/secrets").send({ ...body, ...other });

async function fill(app: TestApp): Promise<[SealedSecret, SealedSecret]> {
  const both: [SealedSecret, SealedSecret] = [await largeSecret(), await largeSecret()];
  for (const secret of both) await announce(app, secret).expect(201);
  await announce(app, await largeSecret()).expect(429);
  return both;
}

const smallStore = () => createMemoryStore({ limits: LIMITS, maxBytes: 1 << 24 });

describe("An address's places for unfinished uploads", () => {
  it("are not emptied by another create with an id that is taken", async () => {
    const app = twoPlaces();
    const [first] = await fill(app);
    await announce(app, first, { ttl: 7_200 }).expect(409);
    await announce(app, await largeSecret()).expect(429);
  });

  it("are not emptied by a retry that the store does not answer", async () => {
    const store = smallStore();
    let answers = true;
    const failing: Store = {
      ...store,
      create: async (secret) => {
        if (!answers) throw new StoreUnavailableError();
        return store.create(secret);
      },
    };
    const app = twoPlaces({ store: failing });
    const [first] = await fill(app);
    answers = false;
    await announce(app, first).expect(503);
    answers = true;
    await announce(app, await largeSecret()).expect(429);
    await store.close();
  });

  it("are given back where no upload began", async () => {
    const store = smallStore();
    let answers = false;
    const failing: Store = {
      ...store,
      create: async (secret) => {
        if (!answers) throw new StoreUnavailableError();
        return store.create(secret);
      },
    };
    const app = twoPlaces({ store: failing });
    for (let i = 0; i < 3; i++) await announce(app, await largeSecret()).expect(503);
    answers = true;
    await fill(app);
    await store.close();
  });

  it("are given back by a delete, as often as somebody changes their mind", async () => {
    const app = twoPlaces();
    for (let i = 0; i < 5; i++) {
      const secret = await largeSecret();
      await announce(app, secret).expect(201);
      await app.http.delete("/api/v1/receipt/secret").set(app.asReceipt(secret)).expect(200);
    }
    await fill(app);
  });

  it("are given back where another replica sealed or deleted the upload", async () => {
    const app = twoPlaces();
    const [first, second] = await fill(app);
    const elsewhere = createTestApp({ store: app.store });
    await elsewhere.sendPart(first, 0, first.blob.length).expect(200);
    await elsewhere.http.delete("/api/v1/receipt/secret").set(elsewhere.asReceipt(second)).expect(200);
    await fill(app);
  });

  it("are one household's, whichever of its IPv6 addresses it takes", async () => {
    const app = twoPlaces({ env: { TRUST_PROXY: "1" } });
    const from = async (address: string) =>
      announce(app, await largeSecret()).set("X-Forwarded-For", address);
    assert.equal((await from("2001:db8:0:1::1")).status, 201);
    assert.equal((await from("2001:db8:0:2::1")).status, 201);
    assert.equal((await from("2001:db8:0:3::1")).status, 429);
    assert.equal((await from("2001:db8:0:100::1")).status, 201);
  });

  it("are counted while the store has not yet said whether an upload began", async () => {
    const asked: string[] = [];
    const places = createUploadPlaces(1, async (id) => {
      asked.push(id);
      return false;
    });
    const [one, two] = [(await largeSecret()).body.id, (await largeSecret()).body.id];
    assert.equal(await places.take("a", one), true);
    await assert.rejects(places.take("a", two), { code: "limited" });
    assert.deepEqual(asked, []);
    places.begin("a", one);
    assert.equal(await places.take("a", two), true);
    assert.deepEqual(asked, [one]);
  });

  it("stay with whoever began the upload first, also where another create of it fails later", async () => {
    const places = createUploadPlaces(1, async () => true);
    const [one, two] = [(await largeSecret()).body.id, (await largeSecret()).body.id];
    assert.equal(await places.take("a", one), true);
    assert.equal(await places.take("a", one), false);
    places.begin("a", one);
    places.giveBack(one);
    places.begin("b", one);
    await assert.rejects(places.take("a", two), { code: "limited" });
    assert.equal(await places.take("b", two), true);
  });
});
