import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parseRedisUrl } from "../config/redis-url.ts";
import { connectRedis, openRedis } from "../store/connect-redis.ts";
import { createRedisStore } from "../store/redis.ts";
import { StoreUnavailableError } from "../store/store.ts";
import { freePort } from "../testing/free-port.ts";
import { newSecret, opening } from "../testing/new-secret.ts";
import { makePatient, TEST_LIMITS } from "../testing/open-redis-store.ts";
import { until } from "../testing/until.ts";
import { startComposeRedis } from "./forensics/compose-redis.ts";

describe("The Redis that compose.yaml starts", () => {
  it("lets Waxseal use the keys with REDIS_KEY_PREFIX, and no others", async () => {
    const redis = await startComposeRedis({ name: "redis", env: { REDIS_KEY_PREFIX: "team-a:" } });
    const open = async (keyPrefix: string) => {
      const client = makePatient(connectRedis({ address: parseRedisUrl(redis.url), keyPrefix }));
      await openRedis(client);
      return createRedisStore({ client, limits: TEST_LIMITS });
    };
    const [ours, others] = [await open("team-a:"), await open("")];
    try {
      const secret = newSecret();
      assert.equal((await ours.create(secret)).kind, "created");
      assert.equal((await ours.open(opening(secret))).kind, "handed-over");
      await assert.rejects(others.create(newSecret()), StoreUnavailableError);
    } finally {
      await Promise.all([ours.close(), others.close()]);
      await redis.stop();
    }
  });

  it("stays silent when it comes back empty, until another node that holds what it has lost leads", async () => {
    const [first, second, nobody] = ["127.78.1.1", "127.78.1.2", "127.78.1.9"];
    const port = await freePort();
    const shared = await mkdtemp(join(tmpdir(), "waxseal-compose-"));
    const start = (host: string) =>
      startComposeRedis({
        ...{ name: "redis", host, port, shared },
        env: { ANNOUNCE: host, SENTINEL_NODES: `${first} ${second}`, SENTINELS: nobody },
      });
    const stops: (() => Promise<void>)[] = [];
    try {
      const master = await start(first);
      const replica = await start(second);
      stops.push(replica.stop);
      await master.admin.set("ws:kept", "sealed");
      await until(async () => (await replica.admin.get("ws:kept")) === "sealed");
      await master.stop();

      const asked = async () =>
        Number(/cmdstat_info:calls=(\d+)/.exec(await replica.admin.info("commandstats"))?.[1]);
      const before = await asked();
      let isBack = false;
      const restarted = start(first).then((node) => {
        isBack = true;
        stops.push(node.stop);
        return node;
      });
      // Of each look one is the test's own, and the script asks for the roles too.
      let looks = 0;
      await until(async () => (await asked()) >= before + ++looks + 4);
      assert(!isBack);
      assert.equal(await replica.admin.get("ws:kept"), "sealed");

      // It does nothing where the replica doesn't answer in time.
      await until(async () => {
        await replica.promote();
        return (await replica.admin.info("replication")).includes("role:master");
      });
      const again = await restarted;
      await until(async () => (await again.admin.get("ws:kept")) === "sealed");
    } finally {
      await Promise.all(stops.map((stop) => stop()));
      await rm(shared, { recursive: true, force: true });
    }
  });

  it("does not start with a prefix that would mean something else in an ACL", async () => {
    const start = startComposeRedis({ name: "redis", env: { REDIS_KEY_PREFIX: "a* ~" } });
    await assert.rejects(start, /REDIS_KEY_PREFIX may hold only letters/);
  });
});
