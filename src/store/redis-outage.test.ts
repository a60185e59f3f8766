import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { parseRedisUrl } from "../config/redis-url.ts";
import { createClaim } from "../envelope/tokens.ts";
import { newSecret, opening, openingOnce, openingWrong, readWhole } from "../testing/new-secret.ts";
import { connectPatiently, connectTo, openRedisStore, TEST_LIMITS } from "../testing/open-redis-store.ts";
import { patiently } from "../testing/patiently.ts";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { startTcpProxy, type TcpProxy } from "../testing/tcp-proxy.ts";
import { until } from "../testing/until.ts";
import { connectRedis } from "./connect-redis.ts";
import { createRedisStore } from "./redis.ts";
import { type NewSecret, type OpenRequest, type Store, StoreUnavailableError } from "./store.ts";

const unavailable = (error: unknown) => {
  assert(error instanceof StoreUnavailableError);
  return true;
};
/** With the program's own patience. */
const openStore = async (port: number) => openRedisStore(port, { client: await connectTo(port) });
const comesBack = (store: Store) => patiently(() => store.ping());

describe("While Redis is away", () => {
  it("every act fails as unavailable, at once, and works again without a restart", async () => {
    const server = await startRedis();
    const store = await openStore(server.port);
    const secret = newSecret();
    const acts = [
      () => store.ping(),
      () => store.create(secret),
      () => store.read(secret.id),
      () => readWhole(store, secret),
      () => store.open(opening(secret)),
      () => store.acknowledge(secret.id, createClaim()),
      () => store.delete(secret.id),
      () => store.unlock(secret.id),
      () => store.collectExpired(),
      () => store.countPending(),
      () => store.check(),
    ];
    await server.kill();
    for (const act of acts) await assert.rejects(act, unavailable);
    await server.restart();
    await comesBack(store);
    await patiently(() => store.create(secret));
    const request = opening(secret);
    assert.equal((await patiently(() => store.open(request))).kind, "handed-over");
    await store.close();
    await server.stop();
  });

  it("acts that hang fail as unavailable, and a frozen Redis that thaws is used again", async () => {
    const server = await startRedis();
    const store = await openStore(server.port);
    const secret = newSecret();
    await patiently(() => store.create(secret));
    server.freeze();
    await assert.rejects(store.read(secret.id), unavailable);
    await assert.rejects(store.ping(), unavailable);
    server.thaw();
    await comesBack(store);
    assert.equal((await patiently(() => store.read(secret.id)))?.state, "sealed");
    await store.close();
    await server.stop();
  });

  it("a store made before Redis was there says so, and works when it comes", async () => {
    const server = await startRedis();
    await server.kill();
    const client = connectRedis({ address: parseRedisUrl(server.url) });
    const store = createRedisStore({ client, limits: TEST_LIMITS });
    await assert.rejects(store.check(), unavailable);
    await assert.rejects(store.create(newSecret()), unavailable);
    await server.restart();
    await until(() =>
      store.check().then(
        () => true,
        () => false,
      ),
    );
    const secret = newSecret();
    await patiently(() => store.create(secret));
    await store.close();
    await server.stop();
  });

  it("a store can be closed, and nothing is left that runs", async () => {
    const server = await startRedis();
    const store = await openStore(server.port);
    await server.kill();
    await store.close();
    await assert.rejects(store.ping(), unavailable);
    await server.stop();
  });

  it("secrets are gone after a restart of a Redis in memory, and nothing pretends otherwise", async () => {
    const server = await startRedis();
    const store = await openStore(server.port);
    const secret = newSecret();
    await patiently(() => store.create(secret));
    await server.restart();
    await comesBack(store);
    assert.equal(await patiently(() => store.read(secret.id)), undefined);
    const request = opening(secret);
    assert.deepEqual(await patiently(() => store.open(request)), { kind: "missing" });
    await store.close();
    await server.stop();
  });
});

describe("While a keyring of its own is away", () => {
  it("secrets stay sealed, and after its restart they are lost and say so", async () => {
    const [server, keyring] = [await startRedis(), await startRedis()];
    const store = await openRedisStore(server.port, { keyring: await connectPatiently(keyring.port) });
    const secrets = [newSecret(), newSecret(), newSecret()] as const;
    for (const secret of secrets) await store.create(secret);
    await keyring.kill();
    const [once, claimed, read] = secrets;
    await assert.rejects(store.ping(), unavailable);
    await assert.rejects(store.create(newSecret()), unavailable);
    await assert.rejects(store.open(openingOnce(once)), unavailable);
    const request = opening(claimed);
    await assert.rejects(store.open(request), unavailable);
    await assert.rejects(store.read(read.id), unavailable);
    const admin = await server.client();
    assert.equal(await admin.hget(`ws:{${once.id}}:record`, "state"), "sealed");
    const left = await admin.pttl(`ws:{${once.id}}:blob`);
    assert(left > 900_000, "the ciphertext has its time back");
    await keyring.restart();
    await comesBack(store);
    for (const { id } of [once, read]) assert.equal((await store.read(id))?.state, "lost");
    await store.close();
    await Promise.all([server.stop(), keyring.stop()]);
  });
});

describe("A connection that breaks between an act and its answer", () => {
  let server: TestRedis;
  let proxy: TcpProxy;
  let direct: Store;
  let behind: Store;

  before(async () => {
    server = await startRedis();
    direct = await openRedisStore(server.port);
    await connectBehind();
  });
  after(async () => {
    await Promise.all([direct.close(), behind.close()]);
    await proxy.close();
    await server.stop();
  });

  async function connectBehind(): Promise<void> {
    proxy = await startTcpProxy(server.port);
    behind = await openRedisStore(proxy.port);
  }

  /**
   * What the act sends after that many answers happens in Redis, and its caller never hears of it. On a
   * new connection: what was lost before is asked about every second, and those answers would count.
   */
  async function lose(answers: number, act: () => Promise<unknown>): Promise<void> {
    await behind.close();
    await proxy.close();
    await connectBehind();
    await comesBack(behind);
    proxy.swallowAnswers(answers);
    await assert.rejects(act, unavailable);
    proxy.mend();
    await comesBack(behind);
  }

  async function sealed(): Promise<NewSecret> {
    const secret = newSecret();
    await direct.create(secret);
    return secret;
  }

  it("leaves a claimed secret to the same claim and to nobody else, wherever it breaks", async () => {
    for (const answers of [0, 1]) {
      const secret = await sealed();
      const request: OpenRequest = opening(secret);
      await lose(answers, () => behind.open(request));
      const stranger = await direct.open(opening(secret));
      assert(stranger.kind === "ended");
      assert.equal(stranger.state, "opened");
      assert.deepEqual(await behind.open(request), {
        kind: "handed-over",
        share: secret.share,
        first: false,
      });
    }
  });

  it("lets a create be repeated, wherever it breaks", async () => {
    for (const answers of [0, 1, 2]) {
      const secret = newSecret();
      await lose(answers, () => behind.create(secret));
      const again = await behind.create(secret);
      assert(again.kind === "created");
      assert.equal(again.existed, answers === 2);
      assert.deepEqual(await direct.open(opening(secret)), {
        kind: "handed-over",
        share: secret.share,
        first: true,
      });
    }
  });

  it("lets an acknowledgement, a deletion and an unlock be repeated, wherever they break", async () => {
    for (const answers of [0, 1]) {
      const received = await sealed();
      const request = opening(received);
      await behind.open(request);
      await lose(answers, () => behind.acknowledge(received.id, request.claim));
      assert.deepEqual(await behind.acknowledge(received.id, request.claim), { kind: "acknowledged" });
      assert.equal((await direct.open(request)).kind, "ended");

      const deleted = await sealed();
      await lose(answers, () => behind.delete(deleted.id));
      const again = await behind.delete(deleted.id);
      assert(again.kind === "deleted" && !again.first);
      assert.equal((await direct.read(deleted.id))?.state, "deleted");
      const admin = await server.client();
      for (const { id } of [received, deleted]) {
        assert.deepEqual(await admin.keys(`ws:{${id}}:*`), [`ws:{${id}}:record`]);
      }
    }
    const unlocked = await sealed();
    await direct.open(openingWrong(unlocked));
    await lose(0, () => behind.unlock(unlocked.id));
    assert.equal((await behind.unlock(unlocked.id)).kind, "unlocked");
    assert.equal((await direct.read(unlocked.id))?.triesLeft, TEST_LIMITS.passphraseTries);
  });

  it("sends nothing a second time by itself", async () => {
    const secret = await sealed();
    await lose(0, () => behind.open(openingWrong(secret)));
    await behind.ping();
    assert.equal((await direct.read(secret.id))?.triesLeft, TEST_LIMITS.passphraseTries - 1);
  });

  it("does not use up a secret that was to be opened without a claim, while Redis is only slow", async () => {
    const secret = await sealed();
    const hasty = await openStore(server.port);
    server.freeze();
    await assert.rejects(hasty.open(openingOnce(secret)), unavailable);
    server.thaw();
    await comesBack(hasty);
    assert.equal((await direct.read(secret.id))?.state, "sealed");
    assert.equal((await direct.open(openingOnce(secret))).kind, "handed-over");
    await hasty.close();
  });
});
