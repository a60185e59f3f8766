import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { StoreBudget } from "../config/config.ts";
import { parseRedisUrl } from "../config/redis-url.ts";
import { newSecret, opening } from "../testing/new-secret.ts";
import {
  connectPatiently,
  makePatient,
  opened,
  openRedisStore,
  TEST_LIMITS,
} from "../testing/open-redis-store.ts";
import { startRedis } from "../testing/redis-server.ts";
import { until } from "../testing/until.ts";
import { connectRedis } from "./connect-redis.ts";
import { createRedisStore } from "./redis.ts";
import { versionProblem } from "./redis-check.ts";
import { StorePreconditionError } from "./store.ts";

const refuses = (pattern: RegExp) => (error: unknown) => {
  assert(error instanceof StorePreconditionError);
  assert.match(error.message, pattern);
  return true;
};

const info = (version: string) => new Map([["redis_version", version]]);

describe("The check of a Redis at start", () => {
  for (const version of ["6.2.0", "6.2.14", "7.0.15", "7.2.4", "8.0.1", "10.0.0"]) {
    it(`takes version ${version}`, () => assert.equal(versionProblem(info(version), "Redis"), undefined));
  }
  for (const version of ["2.8.24", "5.0.14", "6.0.20", "6.1.240"]) {
    it(`refuses version ${version} and says which to use`, () => {
      assert.equal(
        versionProblem(info(version), "Redis"),
        `Redis is version ${version}. Use Redis 6.2 or later, or Valkey.`,
      );
    });
  }

  it("refuses every eviction policy but noeviction and says what to set", async () => {
    const server = await startRedis("--maxmemory", "100mb");
    const admin = await server.client();
    const store = await openRedisStore(server.port);
    assert.deepEqual(await store.check(), []);
    for (const policy of ["allkeys-lru", "allkeys-lfu", "volatile-ttl", "volatile-lru", "allkeys-random"]) {
      await admin.config("SET", "maxmemory-policy", policy);
      await assert.rejects(
        store.check(),
        refuses(new RegExp(`maxmemory-policy ${policy}\\).* Set "maxmemory-policy noeviction"`)),
      );
    }
    await store.close();
    await server.stop();
  });

  it("looks at the keyring's Redis as well", async () => {
    const [server, ring] = [
      await startRedis("--maxmemory", "100mb"),
      await startRedis("--maxmemory", "100mb"),
    ];
    const store = await openRedisStore(server.port, { keyring: await connectPatiently(ring.port) });
    assert.deepEqual(await store.check(), []);
    await (await ring.client()).config("SET", "maxmemory-policy", "allkeys-lru");
    await assert.rejects(store.check(), refuses(/^The keyring's Redis may evict/));
    await store.close();
    await Promise.all([server.stop(), ring.stop()]);
  });

  it("refuses a replica, and warns of replicas that nobody waits for", async () => {
    const master = await startRedis("--maxmemory", "100mb");
    const replica = await startRedis("--replicaof", "127.0.0.1", String(master.port));
    const admin = await master.client();
    await until(async () => (await admin.info("replication")).includes("connected_slaves:1"));
    const onReplica = await openRedisStore(replica.port);
    await assert.rejects(onReplica.check(), refuses(/is a replica and takes no writes/));
    const store = await openRedisStore(master.port);
    const [warning = "", ...others] = await store.check();
    assert.match(warning, /1 replica\(s\), and 0 must confirm.*REDIS_WAIT_REPLICAS/);
    assert.deepEqual(others, []);
    const waiting = await openRedisStore(master.port, { waitReplicas: 1 });
    assert.deepEqual(await waiting.check(), []);
    const tooMany = await openRedisStore(master.port, { waitReplicas: 2 });
    const [missing = "", ...rest] = await tooMany.check();
    assert.match(missing, /^Redis has 1 replica\(s\), and 2 must confirm, so nothing .*REDIS_WAIT_REPLICAS/);
    assert.deepEqual(rest, []);
    await Promise.all([onReplica.close(), store.close(), waiting.close(), tooMany.close()]);
    await Promise.all([master.stop(), replica.stop()]);
  });

  it("warns of replicas of the keyring that nobody waits for, and of too few", async () => {
    const server = await startRedis("--maxmemory", "100mb");
    const ring = await startRedis("--maxmemory", "100mb");
    const replica = await startRedis("--replicaof", "127.0.0.1", String(ring.port));
    const admin = await ring.client();
    await until(async () => (await admin.info("replication")).includes("connected_slaves:1"));
    const said = async (keyringWaitReplicas: number) => {
      const keyring = await connectPatiently(ring.port);
      const store = await openRedisStore(server.port, { keyring, keyringWaitReplicas });
      const warnings = await store.check();
      await store.close();
      return warnings.join("\n");
    };
    assert.match(await said(0), /^The keyring's Redis has 1 replica.*set KEYRING_REDIS_WAIT_REPLICAS/);
    assert.equal(await said(1), "");
    assert.match(await said(2), /^The keyring's Redis has 1 .*or lower KEYRING_REDIS_WAIT_REPLICAS/);
    await Promise.all([server.stop(), ring.stop(), replica.stop()]);
  });

  it("warns of a Redis that writes shares to disk, or has no memory limit, and works all the same", async () => {
    for (const persistent of [
      ["--appendonly", "yes"],
      ["--save", "60 1000"],
    ]) {
      const server = await startRedis("--maxmemory", "100mb", ...persistent);
      const store = await openRedisStore(server.port);
      const [warning = "", ...others] = await store.check();
      assert.match(warning, /writes to disk.*Set save "" and "appendonly no".*KEYRING_REDIS_URL/);
      assert.deepEqual(others, []);
      const ring = await startRedis();
      const split = await openRedisStore(server.port, { keyring: await connectPatiently(ring.port) });
      const [limitless = "", ...rest] = await split.check();
      assert.match(limitless, /^The keyring's Redis has no memory limit.*Set maxmemory/);
      assert.deepEqual(rest, []);
      await Promise.all([store.close(), split.close()]);
      await Promise.all([server.stop(), ring.stop()]);
    }
  });

  it("asks for a memory limit where neither Redis nor STORE_BUDGET sets one, and for one that fits", async () => {
    const server = await startRedis();
    const admin = await server.client();
    const warnings = async (budget: StoreBudget) => {
      const store = await openRedisStore(server.port, { budget });
      const said = await store.check();
      await store.close();
      return said.join("\n");
    };
    const share = { kind: "share", share: 0.8 } as const;
    const size = { kind: "size", bytes: 512 * 2 ** 20 } as const;
    assert.match(await warnings(share), /^Redis has no memory limit.*Set maxmemory.* or STORE_BUDGET/);
    assert.equal(await warnings(size), "");
    await admin.config("SET", "maxmemory", "384mb");
    assert.equal(await warnings(share), "");
    assert.match(
      await warnings(size),
      /^Redis gives less than STORE_BUDGET \(512 MiB\): new secrets are refused from 364 MiB on\. Raise maxmemory/,
    );
    await server.stop();
  });

  it("needs no more than the commands that the store uses", async () => {
    const server = await startRedis("--maxmemory", "100mb");
    const admin = await server.client();
    const commands =
      "-@all +ping +hello +auth +quit +client|setname +info +time +wait +eval +evalsha " +
      "+get +set +getrange +setrange +getex +getdel +exists +unlink +pexpire +pttl +hget +hset +hmget +hgetall +hdel " +
      "+zadd +zincrby +zrem +zcard +zrangebyscore";
    await admin.call("ACL", "SETUSER", "app", "on", ">secret", "~ws:*", ...commands.split(" "));
    const address = parseRedisUrl(`redis://app:secret@127.0.0.1:${server.port}`);
    const client = await opened(makePatient(connectRedis({ address })));
    const store = createRedisStore({ client, limits: TEST_LIMITS });
    assert.deepEqual(await store.check(), []);
    await store.ping();
    const [open, deleted, lost] = [newSecret(), newSecret(), newSecret()];
    for (const secret of [open, deleted, lost]) await store.create(secret);
    const { accessHash: _, ...request } = opening(open);
    await store.open({ ...request, accessHash: deleted.accessHash });
    await store.unlock(open.id);
    await store.open(opening(open));
    await store.acknowledge(open.id, request.claim);
    await store.delete(deleted.id);
    await admin.del(`ws:{${lost.id}}:blob`);
    assert.equal((await store.read(lost.id))?.state, "lost");
    await store.collectExpired();
    assert.equal(await store.countPending(), 0);
    await admin.acl("SETUSER", "app", "-info");
    await assert.rejects(
      store.check(),
      refuses(/does not tell its version. Allow its user the INFO command/),
    );
    await store.close();
    await server.stop();
  });
});
