import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import type { Options } from "express-rate-limit";
import type { Redis } from "ioredis";
import { parseConfig } from "../config/parse-config.ts";
import { parseRedisUrl } from "../config/redis-url.ts";
import { lookAtRedis } from "../doctor/look-at-redis.ts";
import type { Line } from "../doctor/run-checks.ts";
import { advanceRedis } from "../testing/advance-redis.ts";
import { newSecret, opening, openingOnce } from "../testing/new-secret.ts";
import { makePatient, TEST_LIMITS } from "../testing/open-redis-store.ts";
import { NO_FAILOVER, startCluster } from "../testing/redis-cluster.ts";
import { startRedis } from "../testing/redis-server.ts";
import { until } from "../testing/until.ts";
import { createUsedCommands } from "../testing/used-commands.ts";
import { connectCluster, connectRedisOrCluster, openRedis } from "./connect-redis.ts";
import { storeContract } from "./contract.ts";
import { outboxContract } from "./contract-outbox.ts";
import { createRedisStore, type RedisStoreOptions } from "./redis.ts";
import { createRedisChanges } from "./redis-changes.ts";
import { aclRules, CLUSTER_COMMANDS, COMMANDS } from "./redis-commands.ts";
import { recordKey } from "./redis-keys.ts";
import { createLimitStore } from "./redis-limits.ts";
import { createRedisOutbox } from "./redis-outbox.ts";
import type { Store } from "./store.ts";

const PREFIX = "team-a:";
const PASSWORD = "correct-horse";

/** The documented line, as the command line takes it. The test itself is the default user, who may do all. */
const user = (rules: string) => ["--user", "app", "on", `>${PASSWORD}`, ...rules.split(" ")];
const APP = user(aclRules(PREFIX));
const ON_CLUSTER = user(aclRules(PREFIX, [...COMMANDS, ...CLUSTER_COMMANDS]));

const cleanUps: (() => unknown)[] = [];
after(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});
const ready = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
  const started = await starting;
  cleanUps.push(() => started.stop());
  return started;
};

const server = await ready(startRedis(...APP));
const admin = await server.client({ db: 1 });
const used = createUsedCommands();

const urlOf = (port: number) => `redis://app:${PASSWORD}@127.0.0.1:${port}`;
function connect(url: string) {
  return makePatient(connectRedisOrCluster({ address: parseRedisUrl(url), keyPrefix: PREFIX }));
}
async function openStore(url: string, options: Partial<RedisStoreOptions> = {}): Promise<Store> {
  const store = createRedisStore({ client: connect(url), limits: TEST_LIMITS, ...options });
  await store.check();
  return store;
}

storeContract(
  "Redis, for a user who may do what is documented, under a prefix,",
  async (limits, followEnds) => {
    await used.stop();
    await admin.flushall();
    await used.start([admin]);
    const stores: Store[] = [];
    async function another(): Promise<Store> {
      const store = await openStore(`${urlOf(server.port)}/1`, { limits, followEnds });
      stores.push(store);
      return store;
    }
    return {
      store: await another(),
      another,
      async advance(seconds) {
        await used.stop();
        await advanceRedis(admin, seconds);
        await used.start([admin]);
      },
      async close() {
        await Promise.all(stores.map((store) => store.close()));
        await used.stop();
      },
    };
  },
);

outboxContract("An outbox, for the same user,", async (limits) => {
  await admin.flushall();
  await used.start([admin]);
  const clients = [1, 2].map(() => connect(`${urlOf(server.port)}/1`));
  await Promise.all(clients.map((client) => openRedis(client)));
  const [outbox, other] = clients.map((client) => createRedisOutbox({ client, limits }));
  assert.ok(outbox && other);
  return {
    outbox,
    another: async () => other,
    async advance(seconds) {
      await used.stop();
      await advanceRedis(admin, seconds);
      await used.start([admin]);
    },
    async close() {
      await used.stop();
      for (const client of clients) client.disconnect();
    },
  };
});

/** All that limiters ask. */
async function count(url: string): Promise<void> {
  const client = connect(url);
  await client.connect();
  const limit = createLimitStore({ client, name: "acl", patience: 30_000 });
  limit.init?.({ windowMs: 60_000 } as Options);
  await limit.increment("192.0.2.1");
  assert.equal((await limit.increment("192.0.2.1")).totalHits, 2);
  await limit.decrement("192.0.2.1");
  assert.equal((await limit.get?.("192.0.2.1"))?.totalHits, 1);
  await limit.resetKey("192.0.2.1");
  assert.equal(await limit.get?.("192.0.2.1"), undefined);
  await client.quit();
}

/** Word of a change from one replica to another. */
async function tell(url: string): Promise<void> {
  const clients = [connect(url), connect(url)] as const;
  await Promise.all(clients.map((client) => openRedis(client)));
  const onRefused = ({ code }: { code: string }) => assert.fail(code);
  const [one, other] = clients.map((client) => createRedisChanges({ client, keyPrefix: PREFIX, onRefused }));
  const { id } = newSecret();
  let heard = 0;
  other?.watch(id, () => heard++);
  await until(() => {
    one?.publish(id);
    return heard > 1;
  });
  await Promise.all([one?.close(), other?.close()]);
  for (const client of clients) client.disconnect();
}

/** What the doctor's check of what it needs says, everywhere it looks. */
async function ask(url: string): Promise<string[]> {
  const config = parseConfig({ REDIS_URL: url, REDIS_KEY_PREFIX: PREFIX }, () => assert.fail("no file"));
  let lines: readonly Line[] = [];
  await until(async () => {
    lines = await lookAtRedis(config, performance.now() + 60_000);
    return !lines.some(({ text }) => text.includes("does not answer"));
  });
  return lines.filter(({ name }) => /: (commands|ACL)$/.test(name)).map(({ level }) => level);
}

async function open(url: string, options?: Partial<RedisStoreOptions>): Promise<void> {
  const store = await openStore(url, options);
  const secrets = Array.from({ length: 20 }, () => newSecret());
  for (const secret of secrets) {
    await store.create(secret);
    assert.equal((await store.open(opening(secret))).kind, "handed-over");
  }
  await store.close();
}

describe("The same user", () => {
  it("may count limits, run the doctor and look later at a record of another version", async () => {
    const url = urlOf(server.port);
    const plain: Redis = await server.client();
    await used.start([plain]);
    await count(url);
    await tell(url);
    await used.stop();
    // The doctor's trials would hide what nothing else uses.
    assert.deepEqual(await ask(url), ["ok", "ok"]);

    const store = await openStore(url);
    const secret = newSecret();
    await store.create(secret);
    await plain.hset(PREFIX + recordKey(secret.id), "v", "9");
    await plain.zadd(`${PREFIX}ws:due`, 1, secret.id);
    await used.start([plain]);
    assert.deepEqual(await store.collectExpired(), []);
    await used.stop();
    await store.close();
  });

  it("may wait for a replica", async () => {
    const master = await ready(startRedis(...APP));
    const replica = await ready(startRedis("--replicaof", "127.0.0.1", String(master.port)));
    const [ofMaster, ofReplica] = [await master.client(), await replica.client()];
    await until(async () => (await ofReplica.info("replication")).includes("master_link_status:up"));
    await used.start([ofMaster]);
    await open(urlOf(master.port), { waitReplicas: 1, waitTimeout: 20_000 });
    await used.stop();
  });

  it("may use a keyring and nothing else there", async () => {
    const ring = await ready(startRedis(...APP));
    const ofRing = await ring.client();
    await used.start([ofRing]);
    const store = await openStore(urlOf(server.port), { keyring: connect(urlOf(ring.port)) });
    const secret = newSecret();
    await store.create(secret);
    assert.equal((await store.open(openingOnce(secret))).kind, "handed-over");
    await store.close();
    await used.stop();
  });

  it("may use a Cluster, also while a slot is being moved", async () => {
    const cluster = await ready(startCluster({ args: ON_CLUSTER, replicas: 1, nodeTimeout: NO_FAILOVER }));
    const url = `redis+cluster://app:${PASSWORD}@127.0.0.1:${cluster.ports[0]}`;
    const admins = await Promise.all(cluster.nodes.map((node) => node.client()));
    assert.deepEqual(
      await ask(url),
      Array.from({ length: 6 }, () => "ok"),
    );
    const store = await openStore(url);
    // Its first master gives a slot away in which nothing is: what comes for it is sent to ASK.
    const secret = newSecret();
    const slot = await admins[0]?.cluster("KEYSLOT", PREFIX + recordKey(secret.id));
    const masters = await Promise.all(
      admins.map(async (node) => ({
        node,
        id: String(await node.cluster("MYID")),
        role: (await node.role())[0],
      })),
    );
    const map = String(await admins[0]?.cluster("NODES")).split("\n");
    const holds = (id: string) =>
      map.some((line) => {
        const [first = 1, last = first] = (/ (\d+)-(\d+)$/.exec(line)?.slice(1) ?? []).map(Number);
        return line.startsWith(id) && Number(slot) >= first && Number(slot) <= last;
      });
    const [from] = masters.filter(({ id }) => holds(id));
    const [to] = masters.filter(({ id, role }) => role === "master" && !holds(id));
    assert.ok(from && to);
    await to.node.call("CLUSTER", "SETSLOT", String(slot), "IMPORTING", from.id);
    await from.node.call("CLUSTER", "SETSLOT", String(slot), "MIGRATING", to.id);
    await used.start(admins);
    // One key at a time, as a script that wants several is told to try again.
    assert.equal(await store.readBlob(secret.id, 0, secret.size), undefined);
    await used.stop();
    for (const { node } of [from, to]) await node.call("CLUSTER", "SETSLOT", String(slot), "STABLE");

    await used.start(admins);
    await open(url);
    await count(url);
    await tell(url);
    // Replicas are asked for the slots too, sooner or later.
    const others = connectCluster({ address: parseRedisUrl(url), keyPrefix: PREFIX });
    await others.connect();
    await until(async () => {
      others.refreshSlotsCache();
      return await used.has("readonly");
    });
    others.disconnect();
    await store.close();
    await used.stop();
  });

  it("was asked for everything on the list, was refused nothing, and nothing else was needed", () => {
    const all = [...COMMANDS, ...CLUSTER_COMMANDS];
    const seen = all.filter(({ unseen }) => unseen === undefined).map(({ name }) => name);
    assert.deepEqual([...used.names()].sort(), seen.sort());
    assert.deepEqual([...used.refused()].sort(), ["config|get"]);
  });
});
