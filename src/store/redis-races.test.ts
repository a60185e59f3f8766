import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Redis } from "ioredis";
import { bytes, newSecret, opening } from "../testing/new-secret.ts";
import { connectPatiently, openRedisStore } from "../testing/open-redis-store.ts";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { digestClaim } from "./digests.ts";
import { blobKey, recordKey } from "./redis-keys.ts";
import { asBuffer, text } from "./redis-replies.ts";
import { defineScripts, loadScripts } from "./redis-scripts.ts";
import type { Store } from "./store.ts";

/**
 * What happens between the steps of one call, in an order that threads of luck would rarely give:
 * the test takes the steps of the slow call itself.
 */
describe("A call that is overtaken between its steps", () => {
  let server: TestRedis;
  let client: Redis;
  let store: Store;
  before(async () => {
    server = await startRedis();
    client = await connectPatiently(server.port);
    defineScripts(client, loadScripts());
    store = await openRedisStore(server.port);
  });
  after(async () => {
    client.disconnect();
    await store.close();
    await server.stop();
  });

  /** A slow opener that has won and not yet read the share. */
  async function win(window: number) {
    const secret = newSecret();
    await store.create(secret);
    const request = opening(secret);
    const attempt = asBuffer(bytes(16));
    const keys = [recordKey(secret.id), blobKey(secret.id)] as const;
    const [kind] = await client.waxsealOpenSecretBuffer(
      ...keys,
      asBuffer(secret.linkHash),
      asBuffer(secret.accessHash),
      digestClaim(request.claim),
      attempt,
      window,
      10_000,
      3,
      1_000_000,
    );
    assert.equal(text(kind), "won");
    return {
      secret,
      request,
      /** It finds no share. */
      async lose(by = attempt) {
        return (await client.waxsealLoseSecretBuffer(...keys, by, 1_000_000, 5_000)).map(text).slice(0, 2);
      },
      /** It can't hand the share over. */
      async withdraw(by = attempt) {
        return (await client.waxsealWithdrawClaimBuffer(...keys, by, 1_000_000))[0];
      },
      state: async () => (await store.read(secret.id))?.state,
    };
  }

  it("does not call lost what the same claim was handed by another call", async () => {
    const slow = await win(30_000);
    assert.equal((await store.open(slow.request)).kind, "handed-over");
    assert.deepEqual(await slow.lose(), ["ended", "opened"]);
    assert.equal(await slow.state(), "opened");
  });

  it("does not call lost what was acknowledged meanwhile", async () => {
    const slow = await win(30_000);
    await store.acknowledge(slow.secret.id, slow.request.claim);
    assert.deepEqual(await slow.lose(), ["ended", "opened"]);
    assert.equal(await slow.state(), "opened");
  });

  it("says deleted where the sender's deletion came between winning and reading", async () => {
    const slow = await win(30_000);
    assert.equal((await store.delete(slow.secret.id)).kind, "ended");
    assert.equal(await slow.withdraw(), 0);
    assert.deepEqual(await slow.lose(), ["ended", "deleted"]);
    assert.equal(await slow.state(), "deleted");
  });

  it("says lost where nobody else can have had it", async () => {
    const slow = await win(30_000);
    assert.deepEqual(await slow.lose(), ["ended", "lost"]);
    assert.equal(await slow.state(), "lost");
  });

  it("takes back its own win and no other's", async () => {
    const slow = await win(0);
    const stranger = asBuffer(bytes(16));
    assert.equal(await slow.withdraw(stranger), 0);
    assert.deepEqual(await slow.lose(stranger), ["ended", "opened"]);
    assert.equal(await slow.state(), "opened");
    assert.equal(await slow.withdraw(), 1);
    assert.equal(await slow.withdraw(), 0);
    assert.equal(await slow.state(), "sealed");
    assert.equal((await store.open(opening(slow.secret))).kind, "handed-over");
    assert.equal(await slow.withdraw(), 0);
    assert.equal(await slow.state(), "opened");
  });

  it("gives nothing again after an acknowledgement or a deletion whose last step is still to come", async () => {
    for (const act of ["acknowledge", "delete"] as const) {
      const secret = newSecret();
      await store.create(secret);
      const request = opening(secret);
      await store.open(request);
      const keys = [recordKey(secret.id), blobKey(secret.id)] as const;
      if (act === "delete") await client.waxsealDeleteSecretBuffer(...keys, 1_000_000);
      else await client.waxsealAcknowledgeSecretBuffer(...keys, digestClaim(request.claim));
      assert.equal((await client.keys(`ws:{${secret.id}}:share:*`)).length, 1);
      assert.equal((await store.open(request)).kind, "ended");
    }
  });

  it("gives nothing after the window, should the share outlive it", async () => {
    const secret = newSecret();
    await store.create(secret);
    const request = opening(secret);
    await store.open(request);
    for (const key of await client.keys(`ws:{${secret.id}}:*`)) await client.persist(key);
    await client.hincrby(recordKey(secret.id), "until", -31_000);
    assert.equal((await store.open(request)).kind, "ended");
  });
});
