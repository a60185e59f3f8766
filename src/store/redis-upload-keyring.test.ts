import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Redis } from "ioredis";
import { endingWaits } from "../testing/blocked-waits.ts";
import { newUpload, opening, seconds } from "../testing/new-secret.ts";
import { connectPatiently, openRedisStore, TEST_LIMITS } from "../testing/open-redis-store.ts";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { startTcpProxy, type TcpProxy } from "../testing/tcp-proxy.ts";
import { until } from "../testing/until.ts";
import { type Store, StoreUnavailableError, UPLOAD_LIMITS } from "./store.ts";

const tooFew = (error: unknown) => {
  assert(error instanceof StoreUnavailableError);
  assert.match(String(error.cause), /Too few replicas/);
  return true;
};

describe("An upload whose share is kept in a keyring with a replica", () => {
  let [server, ring, replica]: TestRedis[] = [];
  let line: TcpProxy;
  let [ofServer, ofRing, ofReplica]: Redis[] = [];
  const stores: Store[] = [];

  async function openStore(): Promise<Store> {
    const store = await openRedisStore(server?.port ?? 0, {
      // So short that the share has to be kept for longer at the seal.
      limits: { ...TEST_LIMITS, uploads: { ...UPLOAD_LIMITS, longest: 100 } },
      keyring: await connectPatiently(ring?.port ?? 0),
      keyringWaitReplicas: 1,
      waitTimeout: 20_000,
    });
    stores.push(store);
    return store;
  }

  async function refused(act: Promise<unknown>): Promise<void> {
    assert(ofRing);
    await endingWaits(ofRing, assert.rejects(act, tooFew));
  }

  async function follow(): Promise<void> {
    line.mend();
    await ofReplica?.replicaof("127.0.0.1", line.port);
    await until(async () => {
      await ofRing?.set("line", "mended");
      return (await ofRing?.wait(1, 100)) === 1;
    });
    await ofRing?.del("line");
  }

  before(async () => {
    [server, ring, replica] = [await startRedis(), await startRedis(), await startRedis()];
    line = await startTcpProxy(ring.port);
    [ofServer, ofRing, ofReplica] = [await server.client(), await ring.client(), await replica.client()];
    await follow();
  });
  after(async () => {
    for (const store of stores) await store.close();
    await line.close();
    await Promise.all([server?.stop(), ring?.stop(), replica?.stop()]);
  });

  it("does not begin, and leaves nothing, where the replica does not have the share", async () => {
    const store = await openStore();
    line.cut();
    await refused(store.create(newUpload(10).secret));
    assert.deepEqual(await ofServer?.keys("*"), []);
    assert.deepEqual(await ofRing?.keys("ws:*"), []);
    await follow();
  });

  it("is not sealed before the replica knows that the share has to live as long as the secret", async () => {
    const store = await openStore();
    const { secret, blob } = newUpload(10, { ttl: seconds(3_000) });
    await store.create(secret);
    await store.writeBlob(secret.id, 0, blob);
    line.cut();
    await refused(store.sealUpload(secret.id));
    assert.equal((await store.read(secret.id))?.state, "uploading");
    await follow();
    assert.equal((await store.sealUpload(secret.id)).kind, "sealed");
    const [share = ""] = (await ofReplica?.keys("ws:*")) ?? [];
    assert(((await ofReplica?.pttl(share)) ?? 0) > 2_900_000);
    assert.equal((await store.open(opening(secret))).kind, "handed-over");
  });
});
