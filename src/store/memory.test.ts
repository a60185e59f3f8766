import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { storedCiphertext } from "../envelope/tokens.ts";
import { bytes, newSecret, opening, openingOnce, readWhole, seconds } from "../testing/new-secret.ts";
import { storeContract } from "./contract.ts";
import { LIMITS } from "./contract-harness.ts";
import { LOOK_SOON } from "./looks.ts";
import { createMemoryStore } from "./memory.ts";
import { RECORD_BYTES } from "./memory-entries.ts";
import { StoreFullError, StoreUnavailableError, UploadsFullError } from "./store.ts";

storeContract("The embedded store", async (limits, followEnds) => {
  let now = Date.now();
  const store = createMemoryStore({ limits, maxBytes: 64 * 1024 * 1024, clock: () => now, followEnds });
  return {
    store,
    another: async () => store,
    async advance(time) {
      now += time * 1000;
    },
    close: () => store.close(),
  };
});

function smallStore(secrets: number) {
  let now = 1_000_000;
  const store = createMemoryStore({
    limits: LIMITS,
    maxBytes: secrets * (RECORD_BYTES + 1_000),
    clock: () => now,
  });
  const secret = (size = 1_000) => newSecret({ blob: storedCiphertext(bytes(size)), ttl: seconds(100) });
  return {
    store,
    secret,
    advance: (time: number) => {
      now += time * 1000;
    },
  };
}

describe("The embedded store's bounds", () => {
  it("refuses what no longer fits, keeps nothing of it and all of the rest", async () => {
    const { store, secret } = smallStore(3);
    const kept = [secret(), secret(), secret()];
    for (const one of kept) await store.create(one);
    const refused = secret(1);
    await assert.rejects(store.create(refused), StoreFullError);
    assert.equal(await store.read(refused.id), undefined);
    assert.equal(await store.countPending(), 3);
    for (const one of kept) assert.deepEqual(await readWhole(store, one), one.blob);
    await store.close();
  });

  it("leaves half of itself to what is whole, however much unfinished uploads declare", async () => {
    const { store, secret } = smallStore(10);
    const upload = (size: number) => {
      const { blob, ...announced } = secret(1);
      return { ...announced, size };
    };
    const half = 5 * (RECORD_BYTES + 1_000);
    const alone = upload(half + 1_000);
    await store.create(alone);
    await assert.rejects(store.create(upload(1)), UploadsFullError);
    await store.delete(alone.id);
    await store.create(upload(half - 1_000));
    await assert.rejects(store.create(upload(1_001)), UploadsFullError);
    for (let i = 0; i < 3; i++) await store.create(secret());
    await store.close();
  });

  it("counts rules and sender, and the sender no more once it was told", async () => {
    let now = 1_000_000;
    const store = createMemoryStore({
      limits: LIMITS,
      maxBytes: 2 ** 20,
      clock: () => now,
      followEnds: true,
    });
    const used = async () => (await store.memory())[0]?.used;
    const one = newSecret({ rules: "r".repeat(4_000), sender: "þ".repeat(500) });
    await store.create(one);
    assert.equal(await used(), RECORD_BYTES + one.size + 5_000);
    await store.delete(one.id);
    now += LOOK_SOON;
    await store.collectExpired();
    assert.equal(await used(), RECORD_BYTES + 4_000);
    now += LIMITS.retention * 1000;
    await store.collectExpired();
    assert.equal(await used(), 0);
    await store.close();
  });

  it("answers a create that it knows already, also when it is full", async () => {
    const { store, secret } = smallStore(1);
    const one = secret();
    await store.create(one);
    const again = await store.create(one);
    assert(again.kind === "created" && again.existed);
    await store.close();
  });

  it("has room again when a secret was opened, deleted, acknowledged or ran out", async () => {
    const { store, secret, advance } = smallStore(4);
    const [once, deleted, acknowledged, expired] = [secret(), secret(), secret(), secret()];
    for (const one of [once, deleted, acknowledged, expired]) await store.create(one);
    const fits = async () => {
      return store.create(secret(500)).then(
        () => true,
        (error: unknown) => {
          assert(error instanceof StoreFullError);
          return false;
        },
      );
    };
    assert.equal(await fits(), false);
    await store.open(openingOnce(once));
    await store.delete(deleted.id);
    const request = opening(acknowledged);
    await store.open(request);
    await store.acknowledge(acknowledged.id, request.claim);
    assert.equal(await fits(), true);
    assert.equal(await fits(), false);
    advance(101);
    // Records stay, so it takes the retention to have all of it back.
    advance(LIMITS.retention);
    for (let count = 0; count < 4; count++) assert.equal(await fits(), true);
    await store.close();
  });

  it("forgets by itself, without being asked about anything", async () => {
    const { store, secret, advance } = smallStore(1);
    await store.create(secret());
    assert.equal(await store.countPending(), 1);
    advance(101);
    // Counting sweeps nothing, so only the store's own timer can bring this to an end.
    while ((await store.countPending()) > 0) await setTimeout(50);
    await store.close();
  });

  it("answers nothing any more when it is closed", async () => {
    const { store, secret } = smallStore(1);
    const one = secret();
    await store.create(one);
    await store.close();
    await assert.rejects(store.ping(), StoreUnavailableError);
    await assert.rejects(store.read(one.id), StoreUnavailableError);
    await assert.rejects(store.create(secret()), StoreUnavailableError);
  });
});
