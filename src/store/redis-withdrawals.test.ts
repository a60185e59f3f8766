import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Redis } from "ioredis";
import { endingWaits } from "../testing/blocked-waits.ts";
import { bytes, newSecret, newUpload, opening, readWhole, uploadWhole } from "../testing/new-secret.ts";
import { connectPatiently, openRedisStore, TEST_LIMITS } from "../testing/open-redis-store.ts";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { startTcpProxy } from "../testing/tcp-proxy.ts";
import { until } from "../testing/until.ts";
import { digestClaim } from "./digests.ts";
import { blobKey, recordKey } from "./redis-keys.ts";
import { asBuffer, text } from "./redis-replies.ts";
import { defineScripts, loadScripts } from "./redis-scripts.ts";
import { BLOB_BLOCK, type Store, StoreUnavailableError } from "./store.ts";

function inline() {
  const secret = newSecret();
  return { secret, blob: secret.blob, put: (store: Store) => store.create(secret) };
}
function inBlocks() {
  const { secret, blob } = newUpload(2 * BLOB_BLOCK + 10);
  return { secret, blob, put: (store: Store) => uploadWhole(store, secret, blob) };
}

describe("A claim whose replicas stay away for longer than its window", { concurrency: true }, () => {
  for (const [kind, { secret, blob, put }] of Object.entries({ inline: inline(), "in blocks": inBlocks() })) {
    it(`uses nothing up: a secret ${kind} is sealed again, whole, for whoever comes next`, async () => {
      const master = await startRedis();
      const line = await startTcpProxy(master.port);
      const replica = await startRedis("--replicaof", "127.0.0.1", String(line.port));
      const admin = await master.client();
      const isWhole = async () => {
        await admin.set("line", "mended");
        return (await admin.wait(1, 100)) === 1;
      };
      await until(isWhole);
      const limits = { ...TEST_LIMITS, redeliveryWindow: 20 };
      const store = await openRedisStore(master.port, { limits, waitReplicas: 1, waitTimeout: 20_000 });
      try {
        await put(store);
        line.cut();
        const request = opening(secret);
        const calls = await endingWaits(
          admin,
          Promise.allSettled([store.open(request), store.open(request)]),
        );
        for (const call of calls) {
          assert(call.status === "rejected" && call.reason instanceof StoreUnavailableError);
          assert.match(String(call.reason.cause), /Too few replicas/);
        }
        const stranger = await endingWaits(admin, store.open(opening(secret)));
        assert.equal(stranger.kind, "ended", "the claim stands meanwhile");
        await until(async () => (await store.read(secret.id))?.state === "sealed");
        for (const key of await admin.keys(`${blobKey(secret.id)}*`)) {
          const left = await admin.pttl(key);
          assert(left > 900_000, `${key} has ${left} ms`);
        }
        assert.deepEqual(await readWhole(store, secret), blob);
        line.mend();
        await until(isWhole);
        assert.equal((await store.open(opening(secret))).kind, "handed-over");
        assert.equal((await store.open(request)).kind, "ended");
      } finally {
        await Promise.all([store.close(), line.close()]);
        await Promise.all([master.stop(), replica.stop()]);
      }
    });
  }
});

describe("A connection that is gone for longer than the window, after Redis has executed", {
  concurrency: true,
}, () => {
  const limits = { ...TEST_LIMITS, redeliveryWindow: 2 };
  const kinds = Object.entries({ inline: inline(), "in blocks": inBlocks() });

  /** Swallows the answer to a claim; the line is mended when 4 s are over. */
  async function throughHole(
    { secret, put }: (typeof kinds)[number][1],
    server: TestRedis,
  ): Promise<{ readonly store: Store; close(): Promise<void> }> {
    const admin = await server.client();
    const line = await startTcpProxy(server.port);
    const store = await openRedisStore(line.port, { limits });
    const direct = await openRedisStore(server.port, { limits });
    await put(direct);
    const clock = async () => Number((await admin.time())[0]) * 1_000;
    line.swallowAnswers();
    await assert.rejects(store.open(opening(secret)), StoreUnavailableError);
    const from = await clock();
    await until(async () => (await clock()) >= from + 4_000);
    line.mend();
    return {
      store: direct,
      async close() {
        await Promise.all([store.close(), direct.close()]);
        await line.close();
      },
    };
  }

  for (const [kind, some] of kinds) {
    it(`the claim: a secret ${kind} that nobody read is sealed again, whole, and opens once`, async () => {
      const server = await startRedis();
      const { store, close } = await throughHole(some, server);
      try {
        await until(async () => (await store.read(some.secret.id))?.state === "sealed");
        assert.deepEqual(await readWhole(store, some.secret), some.blob);
        assert.equal((await store.open(opening(some.secret))).kind, "handed-over");
        assert.equal((await store.open(opening(some.secret))).kind, "ended");
      } finally {
        await close();
        await server.stop();
      }
    });
  }
});

describe("A share that was lent and never arrived", () => {
  it("has its time back with the next try, and the secret is sealed again when the window is over", async () => {
    const server = await startRedis();
    const admin = await server.client();
    const line = await startTcpProxy(server.port);
    const limits = { ...TEST_LIMITS, redeliveryWindow: 20 };
    const client = await connectPatiently(line.port);
    const store = await openRedisStore(line.port, { client, limits });
    const direct = await openRedisStore(server.port, { limits });
    try {
      const secret = newSecret();
      await direct.create(secret);
      line.swallowAnswers(1);
      await assert.rejects(store.open(opening(secret)), StoreUnavailableError);
      const [share = ""] = await admin.keys("*:share:*");
      assert((await admin.pttl(share)) <= 20_000, "it was lent");
      line.mend();
      await until(async () => (await admin.pttl(share)) > 900_000);
      assert.equal((await direct.open(opening(secret))).kind, "ended", "the claim stands meanwhile");
      await until(async () => (await direct.read(secret.id))?.state === "sealed");
      assert.equal((await direct.open(opening(secret))).kind, "handed-over");
      assert.equal((await direct.open(opening(secret))).kind, "ended");
    } finally {
      await Promise.all([store.close(), direct.close()]);
      await line.close();
      await server.stop();
    }
  });
});

describe("A claim that comes again after it was withdrawn", () => {
  for (const [kind, { secret, put }] of Object.entries({ inline: inline(), "in blocks": inBlocks() })) {
    it(`leaves a secret ${kind} there for the rest of its window only`, async () => {
      const server = await startRedis();
      const store = await openRedisStore(server.port);
      const admin = await server.client();
      const client = await connectPatiently(server.port);
      defineScripts(client, loadScripts());
      try {
        await put(store);
        const request = opening(secret);
        const attempt = asBuffer(bytes(16));
        const [record, blob] = [recordKey(secret.id), blobKey(secret.id)];
        const digests = [asBuffer(secret.linkHash), asBuffer(secret.accessHash)] as const;
        const window = TEST_LIMITS.redeliveryWindow * 1000;
        await client.waxsealOpenSecretBuffer(
          ...[record, blob, ...digests, digestClaim(request.claim), attempt, window, 10_000, 3, 1_000_000],
        );
        assert.equal((await client.waxsealWithdrawClaimBuffer(record, blob, attempt, 1_000_000))[0], 2);
        const lives = async () => Promise.all((await admin.keys(`${blob}*`)).map((key) => admin.pttl(key)));
        assert((await lives()).every((left) => left > 900_000));
        assert.equal((await store.open(request)).kind, "handed-over");
        const left = await lives();
        assert(left.length > 0 && left.every((life) => life > 0 && life <= window), String(left));
      } finally {
        await store.close();
        client.disconnect();
        await server.stop();
      }
    });
  }
});

describe("Calls of one claim that hand nothing over", () => {
  let server: TestRedis;
  let store: Store;
  let client: Redis;
  before(async () => {
    server = await startRedis();
    store = await openRedisStore(server.port);
    client = await connectPatiently(server.port);
    defineScripts(client, loadScripts());
  });
  after(async () => {
    await store?.close();
    client?.disconnect();
    await server?.stop();
  });

  /** A secret, and calls with one claim that have decided and not read the share yet. */
  async function claimed() {
    const secret = newSecret();
    await store.create(secret);
    const { claim } = opening(secret);
    const keys = [recordKey(secret.id), blobKey(secret.id)] as const;
    const digests = [asBuffer(secret.linkHash), asBuffer(secret.accessHash), digestClaim(claim)] as const;
    return {
      secret,
      async call() {
        const attempt = asBuffer(bytes(16));
        const decided = await client.waxsealOpenSecretBuffer(
          ...[...keys, ...digests, attempt, 30_000, 10_000, 3, 1_000_000],
        );
        assert.match(text(decided[0]), /won|again/);
        return attempt;
      },
      withdraw: async (attempt: Buffer) =>
        (await client.waxsealWithdrawClaimBuffer(...keys, attempt, 1_000_000))[0],
      endWindow: () => client.hincrby(keys[0], "until", -60_000),
      set: (field: string, value: string) => client.hset(keys[0], field, value),
      openByStranger: async () => (await store.open(opening(secret))).kind,
    };
  }

  it("seal it again when the last of them has said so, and not before the window is over", async () => {
    const { call, withdraw, endWindow, openByStranger } = await claimed();
    const [first, second] = [await call(), await call()];
    assert.equal(await withdraw(first), 0);
    assert.equal(await withdraw(second), 2);
    assert.equal(await openByStranger(), "ended");
    await endWindow();
    assert.equal(await withdraw(second), 1);
    assert.equal(await openByStranger(), "handed-over");
  });

  it("leave it to the next one who comes where nobody is left to say so", async () => {
    const { call, withdraw, endWindow, openByStranger } = await claimed();
    assert.equal(await withdraw(await call()), 2);
    await endWindow();
    assert.equal(await openByStranger(), "handed-over");
    assert.equal(await openByStranger(), "ended");
  });

  it("never seal it again where one of them says nothing", async () => {
    const { call, withdraw, endWindow, openByStranger } = await claimed();
    const [first] = [await call(), await call()];
    assert.equal(await withdraw(first), 0);
    await endWindow();
    assert.equal(await withdraw(first), 0);
    assert.equal(await openByStranger(), "ended");
  });

  it("never seal it again where there were more of them than are noted", async () => {
    const { call, withdraw, endWindow, openByStranger } = await claimed();
    const calls: Buffer[] = [];
    for (let count = 0; count < 70; count++) calls.push(await call());
    for (const attempt of calls.slice(0, -1)) assert.equal(await withdraw(attempt), 0);
    await endWindow();
    assert.equal(await openByStranger(), "ended");
  });

  it("never seal it again where a program that notes nothing may have handed it over", async () => {
    const { call, withdraw, set, endWindow, openByStranger } = await claimed();
    const attempt = await call();
    await set("again", "1");
    assert.equal(await withdraw(attempt), 0);
    await endWindow();
    assert.equal(await openByStranger(), "ended");
  });
});
