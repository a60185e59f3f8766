import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Redis } from "ioredis";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { startTcpProxy } from "../testing/tcp-proxy.ts";
import { until } from "../testing/until.ts";
import { createLeasePool } from "./lease-pool.ts";
import { StoreUnavailableError } from "./store.ts";

const SIZE = 4;

const servers: TestRedis[] = [];
after(() => Promise.all(servers.map((server) => server.stop())));
async function startedRedis(): Promise<TestRedis> {
  const server = await startRedis();
  servers.push(server);
  return server;
}

describe("A pool of connections that are not mended when they break, as a Cluster's", () => {
  let server: TestRedis;
  before(async () => {
    server = await startedRedis();
  });

  function warmPool() {
    const opened: Redis[] = [];
    const pool = createLeasePool({
      open() {
        const options = { lazyConnect: true, retryStrategy: null, enableOfflineQueue: false };
        const connection = new Redis(server.port, "127.0.0.1", options);
        connection.on("error", () => {});
        opened.push(connection);
        return connection;
      },
      size: SIZE,
      patience: 30_000,
    });
    const lease = () => pool.lease((connection) => connection.ping());
    const work = async () => {
      const answers = await Promise.all(Array.from({ length: SIZE }, lease));
      assert.deepEqual(answers, Array(SIZE).fill("PONG"));
    };
    return { opened, pool, work };
  }

  it("lends none that ended while it was idle", async () => {
    const { opened, pool, work } = warmPool();
    await work();
    assert.equal(opened.length, SIZE);
    await (await server.client()).call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await until(() => opened.every(({ status }) => status === "end"));
    await work();
    assert.equal(opened.length, 2 * SIZE);
    await work();
    assert.equal(opened.length, 2 * SIZE, "those that live are kept");
    pool.close();
  });

  it("lends none that an act has just disconnected", async () => {
    const { opened, pool, work } = warmPool();
    await work();
    for (let round = 0; round < SIZE; round++) {
      await pool.lease(async (connection) => connection.disconnect());
      assert.equal(await pool.lease((connection) => connection.ping()), "PONG");
    }
    await work();
    assert(opened.length > SIZE);
    pool.close();
  });

  it("gives whoever waits another one in place of one that was disconnected", async () => {
    const { pool } = warmPool();
    const acts = Array.from({ length: SIZE * 3 }, () =>
      pool.lease(async (connection) => {
        const answer = await connection.ping();
        connection.disconnect();
        return answer;
      }),
    );
    assert.deepEqual(await Promise.all(acts), Array(SIZE * 3).fill("PONG"));
    pool.close();
  });
});

describe("A pool of connections to somebody who says nothing", () => {
  it("gives up in time and begins no act then, and lends no connection that is still waiting", async () => {
    const silent = await startTcpProxy((await startedRedis()).port);
    silent.silence();
    const pool = createLeasePool({
      open() {
        const connection = new Redis(silent.port, "127.0.0.1", {
          lazyConnect: true,
          enableOfflineQueue: false,
        });
        connection.on("error", () => {});
        return connection;
      },
      size: 1,
      patience: 300,
    });
    let begun = 0;
    const act = (connection: Redis) => {
      begun++;
      return connection.ping();
    };
    await assert.rejects(pool.lease(act), StoreUnavailableError);
    assert.equal(begun, 0);
    silent.mend();
    await until(() =>
      pool.lease(act).then(
        () => true,
        () => false,
      ),
    );
    assert.equal(begun, 1);
    pool.close();
    await silent.close();
  });
});
