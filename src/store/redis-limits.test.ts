import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import express from "express";
import { rateLimit } from "express-rate-limit";
import request from "supertest";
import { parseRedisUrl } from "../config/redis-url.ts";
import { freePort } from "../testing/free-port.ts";
import { makePatient } from "../testing/open-redis-store.ts";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { until } from "../testing/until.ts";
import { connectRedis } from "./connect-redis.ts";
import { createLimitStore } from "./redis-limits.ts";

const cleanUps: (() => unknown)[] = [];
after(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

async function redis(...args: string[]): Promise<TestRedis> {
  const server = await startRedis(...args);
  cleanUps.push(() => server.stop());
  return server;
}

const LIMIT = 3;
/** Milliseconds: whatever else the machine does. */
const PATIENT = 30_000;

/** A replica: an app with one limiter, and its own connection. */
function replica(port: number, { name = "open", patience = PATIENT } = {}) {
  const client = makePatient(connectRedis({ address: parseRedisUrl(`redis://127.0.0.1:${port}`) }));
  client.connect().catch(() => {}); // it tries on in the background
  const store = createLimitStore({ client, name, patience });
  const limiter = rateLimit({
    limit: LIMIT,
    windowMs: 60_000,
    store,
    standardHeaders: "draft-8",
    legacyHeaders: false,
  });
  const app = express().use(limiter, (_req, res) => {
    res.send("ok");
  });
  cleanUps.push(() => {
    client.disconnect();
    return store.shutdown?.();
  });
  return { client, store, hit: async () => (await request(app).get("/")).status };
}

async function hits(count: number, hit: () => Promise<number>): Promise<number[]> {
  const statuses: number[] = [];
  for (let at = 0; at < count; at++) statuses.push(await hit());
  return statuses;
}

describe("Rate limits shared through Redis", () => {
  it("count what all replicas see together", async () => {
    const server = await redis();
    const [one, other] = [replica(server.port), replica(server.port)];
    await until(() => one.client.status === "ready" && other.client.status === "ready");
    assert.deepEqual(await hits(2, one.hit), [200, 200]);
    assert.deepEqual(await hits(3, other.hit), [200, 429, 429]);
    assert.deepEqual(await hits(1, one.hit), [429]);
  });

  it("count for each limiter by itself", async () => {
    const server = await redis();
    const [open, create] = [replica(server.port), replica(server.port, { name: "create" })];
    await until(() => open.client.status === "ready" && create.client.status === "ready");
    assert.deepEqual(await hits(LIMIT + 1, open.hit), [200, 200, 200, 429]);
    assert.deepEqual(await hits(1, create.hit), [200]);
  });

  it("put no address into Redis, and nothing that stays", async () => {
    const server = await redis();
    const one = replica(server.port);
    await until(() => one.client.status === "ready");
    await one.hit();
    const admin = await server.client();
    const keys = await admin.keys("*");
    assert.equal(keys.length, 1);
    const [key = ""] = keys;
    assert.match(key, /^ws:limit:open:[A-Za-z0-9_-]{22}$/);
    assert.equal(await admin.get(key), "1");
    const left = await admin.pttl(key);
    assert(left > 0 && left <= 60_000);
  });

  it("hold in this process while Redis is away at start, and move to Redis when it comes", async () => {
    const port = await freePort();
    const one = replica(port);
    assert.deepEqual(await hits(LIMIT + 1, one.hit), [200, 200, 200, 429]);
    const server = await redis("--port", String(port));
    await until(() => one.client.status === "ready");
    assert.deepEqual(await hits(1, one.hit), [200]);
    const admin = await server.client({ port });
    assert.equal((await admin.keys("ws:limit:*")).length, 1);
  });

  it("go on in this process when Redis ends, and come back with it", async () => {
    const server = await redis();
    const [one, other] = [replica(server.port), replica(server.port)];
    await until(() => one.client.status === "ready" && other.client.status === "ready");
    assert.deepEqual(await hits(1, one.hit), [200]);
    await server.kill();
    assert.deepEqual(await hits(LIMIT + 1, one.hit), [200, 200, 200, 429]);
    await server.restart();
    await until(() => one.client.status === "ready" && other.client.status === "ready");
    const admin = await server.client();
    await until(async () => {
      await one.hit();
      return (await admin.dbsize()) > 0;
    });
    await admin.flushall();
    assert.deepEqual(await hits(2, one.hit), [200, 200]);
    assert.deepEqual(await hits(2, other.hit), [200, 429]);
  });

  it("go on while Redis hangs, is full, or has forgotten the scripts", async () => {
    const server = await redis();
    const admin = await server.client();
    const one = replica(server.port);
    const hasty = replica(server.port, { name: "hasty", patience: 600 });
    await until(() => one.client.status === "ready" && hasty.client.status === "ready");
    const counted = async (name: string) => {
      const [key] = await admin.keys(`ws:limit:${name}:*`);
      return key ? Number(await admin.get(key)) : 0;
    };
    assert.deepEqual(await hits(1, one.hit), [200]);
    await admin.script("FLUSH");
    assert.deepEqual(await hits(1, one.hit), [200]);
    assert.equal(await counted("open"), 2);

    server.freeze();
    assert.deepEqual(await hits(LIMIT + 1, hasty.hit), [200, 200, 200, 429]);
    server.thaw();
    // What was asked for in vain may be counted late; more than that is what it asks for again.
    await until(async () => {
      await hasty.hit();
      return (await counted("hasty")) > LIMIT + 1;
    });
    await admin.config("SET", "maxmemory", "1");
    assert.deepEqual(await hits(LIMIT + 1, one.hit), [200, 200, 200, 429]);
    await admin.config("SET", "maxmemory", "0");
    await admin.flushall();
    await until(async () => {
      await one.hit();
      return (await counted("open")) > 0;
    });
    assert.deepEqual(await hits(LIMIT, one.hit), [200, 200, 429]);
  });

  it("can be looked up, taken back and reset, with Redis and without", async () => {
    const server = await redis();
    const { client, store, hit } = replica(server.port);
    await until(() => client.status === "ready");
    const total = async (key: string) => (await store.get?.(key))?.totalHits;
    await hit();
    for (const state of ["with", "without"]) {
      if (state === "without") await server.kill();
      assert.equal(await total("someone"), undefined);
      await store.increment("someone");
      await store.increment("someone");
      await store.decrement("someone");
      assert.equal(await total("someone"), 1);
      await store.resetKey("someone");
      assert.equal(await total("someone"), undefined);
    }
  });
});
