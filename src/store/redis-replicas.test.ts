import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import type { Redis } from "ioredis";
import { blockedConnections, endingWaits } from "../testing/blocked-waits.ts";
import { bytes, newSecret, opening, openingOnce } from "../testing/new-secret.ts";
import { openRedisStore } from "../testing/open-redis-store.ts";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { startTcpProxy, type TcpProxy } from "../testing/tcp-proxy.ts";
import { until } from "../testing/until.ts";
import { type OpenResult, type Store, StoreUnavailableError } from "./store.ts";

/** A master and its one replica; the line between them can be cut. */
interface Pair {
  readonly master: TestRedis;
  readonly replica: TestRedis;
  readonly line: TcpProxy;
  /** Waits for the replica, and soon gives up: for when the line is cut. */
  readonly store: Store;
  /** Waits as long as it takes on a busy machine: for when it is not, or where `inVain` ends its waits. */
  readonly patient: Store;
  readonly masterAdmin: Redis;
  readonly replicaAdmin: Redis;
  mend(): Promise<void>;
  close(): Promise<void>;
}

async function startPair(): Promise<Pair> {
  const master = await startRedis();
  const line = await startTcpProxy(master.port);
  const replica = await startRedis("--replicaof", "127.0.0.1", String(line.port));
  const [masterAdmin, replicaAdmin] = [await master.client(), await replica.client()];
  const store = await openRedisStore(master.port, { waitReplicas: 1, waitTimeout: 300 });
  const patient = await openRedisStore(master.port, { waitReplicas: 1, waitTimeout: 20_000 });
  async function mend(): Promise<void> {
    line.mend();
    // Otherwise it tries only once a second.
    await replicaAdmin.replicaof("127.0.0.1", line.port);
    // A replica that is still loading counts for who wrote nothing: so write something.
    await until(async () => {
      await masterAdmin.set("line", "mended");
      return (await masterAdmin.wait(1, 100)) === 1;
    });
  }
  await mend();
  return {
    master,
    replica,
    line,
    store,
    patient,
    masterAdmin,
    replicaAdmin,
    mend,
    async close() {
      await Promise.all([store.close(), patient.close()]);
      await line.close();
      await Promise.all([master.stop(), replica.stop()]);
    },
  };
}

const tooFew = (error: unknown) => {
  assert(error instanceof StoreUnavailableError);
  assert.match(String(error.cause), /Too few replicas/);
  return true;
};
const inVain = <T>({ masterAdmin }: Pair, act: Promise<T>) => endingWaits(masterAdmin, act);
const refused = (pair: Pair, act: Promise<unknown>) => inVain(pair, assert.rejects(act, tooFew));

describe("A store that waits for its replica", () => {
  let pair: Pair;
  before(async () => {
    pair = await startPair();
  });
  afterEach(() => pair.mend());
  after(() => pair.close());

  it("answers when the replica has it", async () => {
    const { patient: store, replica } = pair;
    const mirror = await openRedisStore(replica.port);
    const secret = newSecret();
    await store.create(secret);
    assert.equal((await mirror.read(secret.id))?.state, "sealed");
    const requests = Array.from({ length: 50 }, () => opening(secret));
    const opened = await Promise.all(requests.map((request) => store.open(request)));
    const [winner, ...others] = requests.filter((_, index) => opened[index]?.kind === "handed-over");
    assert(winner && others.length === 0);
    assert.equal((await mirror.read(secret.id))?.state, "opened");
    await mirror.close();
    // So that the share is gone, and does not run out while another test compares keys.
    await store.acknowledge(secret.id, winner.claim);
  });

  it("keeps nothing of a create that the replica does not have, and takes it when it comes again", async () => {
    const { patient: store, line, masterAdmin, mend } = pair;
    const secret = newSecret();
    const before = (await masterAdmin.keys("*")).sort();
    line.cut();
    await refused(pair, store.create(secret));
    assert.deepEqual((await masterAdmin.keys("*")).sort(), before);
    await mend();
    const created = await store.create(secret);
    assert(created.kind === "created" && !created.existed);
  });

  it("does not confirm a create that was there already before the replica has it", async () => {
    const { patient: store, line, master, mend } = pair;
    const secret = newSecret();
    const careless = await openRedisStore(master.port);
    line.cut();
    await careless.create(secret);
    await refused(pair, store.create(secret));
    assert.equal((await careless.read(secret.id))?.state, "sealed");
    await mend();
    const created = await store.create(secret);
    assert(created.kind === "created" && created.existed);
    await careless.close();
  });

  it("releases nothing that the replica does not know of, and keeps it for the same claim", async () => {
    const { patient: store, line, masterAdmin, mend } = pair;
    const secret = newSecret();
    await store.create(secret);
    line.cut();
    const request = opening(secret);
    await refused(pair, store.open(request));
    await refused(pair, store.open(request));
    const [share = ""] = await masterAdmin.keys(`ws:{${secret.id}}:share:*`);
    assert.deepEqual(await masterAdmin.getBuffer(share), Buffer.from(secret.share));
    assert.equal((await inVain(pair, store.open(opening(secret)))).kind, "ended");
    await mend();
    assert.equal((await store.open(opening(secret))).kind, "ended");
    assert.deepEqual(await store.open(request), {
      kind: "handed-over",
      share: secret.share,
      first: false,
    });
  });

  it("seals a secret again that would have been opened without a claim", async () => {
    const { patient: store, line, masterAdmin, mend } = pair;
    const secret = newSecret();
    await store.create(secret);
    line.cut();
    await refused(pair, store.open(openingOnce(secret)));
    assert.equal((await store.read(secret.id))?.state, "sealed");
    assert((await masterAdmin.pttl(`ws:{${secret.id}}:blob`)) > 900_000);
    await mend();
    assert.equal((await store.open(openingOnce(secret))).kind, "handed-over");
  });

  it("does not promise a deletion that a failover could undo", async () => {
    const { patient: store, line, mend } = pair;
    const secret = newSecret();
    await store.create(secret);
    line.cut();
    await refused(pair, store.delete(secret.id));
    await mend();
    assert.equal((await store.delete(secret.id)).kind, "deleted");
  });

  it("goes on with all else while it waits", async () => {
    const { patient, line, master, masterAdmin } = pair;
    const store = await openRedisStore(master.port, { waitReplicas: 1, waitTimeout: 20_000 });
    const secret = newSecret();
    await patient.create(secret);
    line.cut();
    const waiting = Array.from({ length: 30 }, () => store.create(newSecret()).catch(() => "short"));
    await until(async () => (await blockedConnections(masterAdmin)).length > 0);
    let answered = 0;
    const reading = (async () => {
      for (; answered < 20; answered++) await store.read(secret.id);
      return "reads";
    })();
    assert.equal(await Promise.race([Promise.all(waiting).then(() => "waits"), reading]), "reads");
    await store.close(); // what waits now waits no longer
    assert.deepEqual(new Set(await Promise.all(waiting)), new Set(["short"]));
  });
});

describe("A failover that the master did not notice", () => {
  const SECRETS = 40;

  it("makes a plain GETDEL hand out everything twice, and the store nothing", async () => {
    const { store, patient, line, masterAdmin, replica, replicaAdmin, close } = await startPair();
    const plain = Array.from({ length: SECRETS }, (_, index) => `plain:${index}`);
    await masterAdmin.mset(Object.fromEntries(plain.map((key) => [key, bytes(32).toString()])));
    const secrets = Array.from({ length: SECRETS }, () => newSecret());
    await Promise.all(secrets.map((secret) => patient.create(secret)));
    const requests = secrets.map(opening);
    line.cut();
    const plainFirst = await Promise.all(plain.map((key) => masterAdmin.getdel(key)));
    const first = await Promise.allSettled(requests.map((request) => store.open(request)));
    await replicaAdmin.replicaof("NO", "ONE");
    const promoted = await openRedisStore(replica.port);
    const plainSecond = await Promise.all(plain.map((key) => replicaAdmin.getdel(key)));
    const others = await Promise.all(
      secrets.map((secret) => Promise.all([promoted.open(opening(secret)), promoted.open(opening(secret))])),
    );
    const twice = plain.filter((_, index) => plainFirst[index] !== null && plainSecond[index] !== null);
    assert.equal(twice.length, SECRETS, "the control fails");
    assert.equal(first.filter(({ status }) => status === "fulfilled").length, 0);
    for (const results of others) {
      assert.equal(results.filter(({ kind }) => kind === "handed-over").length, 1);
    }
    await promoted.close();
    await close();
  });

  it("in the middle of many opens hands each share to one claimant, and loses none", async () => {
    for (let round = 0; round < 4; round++) {
      const { patient, line, masterAdmin, replica, replicaAdmin, close } = await startPair();
      const secrets = Array.from({ length: SECRETS }, () => newSecret());
      await Promise.all(secrets.map((secret) => patient.create(secret)));
      const requests = secrets.map(opening);
      const open = (some: typeof requests) =>
        some.map((request): Promise<OpenResult | undefined> => patient.open(request).catch(() => undefined));
      const early = open(requests.slice(0, 5 + round * 7));
      await Promise.all(early);
      // The line is cut as soon as the first of these is through, whatever the others have come to by then.
      const during = open(requests.slice(early.length, early.length + 10));
      await Promise.race(during);
      line.cut();
      const late = open(requests.slice(early.length + during.length));
      await until(async () => (await blockedConnections(masterAdmin)).length > 0);
      await patient.close(); // what waits now waits no longer
      const released = await Promise.all([...early, ...during, ...late]);
      await replicaAdmin.replicaof("NO", "ONE");
      const promoted = await openRedisStore(replica.port);
      let before = 0;
      for (const [index, secret] of secrets.entries()) {
        const request = requests[index];
        assert(request);
        const stranger = await promoted.open(opening(secret));
        const holder = await promoted.open(request);
        const wasReleased = released[index]?.kind === "handed-over";
        if (wasReleased) before++;
        // Whoever was handed it, or was promised it, still has it; otherwise the stranger won it.
        assert.equal(stranger.kind === "handed-over", holder.kind !== "handed-over");
        if (wasReleased) assert.equal(stranger.kind, "ended");
      }
      assert(before > early.length, `${before} released before the line was cut`);
      assert(before <= early.length + during.length, `${before} released before the line was cut`);
      await promoted.close();
      await close();
    }
  });
});
