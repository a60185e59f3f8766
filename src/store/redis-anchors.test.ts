import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Redis } from "ioredis";
import { parseRedisUrl } from "../config/redis-url.ts";
import { makePatient, opened } from "../testing/open-redis-store.ts";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { MAX_ANCHORS } from "./anchors.ts";
import { connectRedis } from "./connect-redis.ts";
import { createRedisAnchors } from "./redis-anchors.ts";
import { aclRules } from "./redis-commands.ts";
import { ANCHORED_KEY, ANCHORS_KEY } from "./redis-keys.ts";
import { defineScripts, loadScripts } from "./redis-scripts.ts";
import { StoreUnavailableError } from "./store.ts";

const hash = (digit: string) => digit.repeat(64);

describe("Anchors of the audit trail", () => {
  let server: TestRedis;
  let admin: Redis;
  let client: Redis;
  before(async () => {
    server = await startRedis("--user", "app", "on", ">pass", ...aclRules("team-a:").split(" "));
    admin = await server.client();
    const address = parseRedisUrl(`redis://app:pass@127.0.0.1:${server.port}`);
    client = await opened(makePatient(connectRedis({ address, keyPrefix: "team-a:" })));
    defineScripts(client, loadScripts());
  });
  after(async () => {
    client.disconnect();
    await server.stop();
  });

  it("are kept by chain, the last of each, for a user who may do what is documented, with Redis' own time", async () => {
    const anchors = createRedisAnchors(client);
    await anchors.keep({ chain: "one", seq: 3, hash: hash("a") });
    await anchors.keep({ chain: "one", seq: 20, hash: hash("b") });
    await anchors.keep({ chain: "other", seq: 0, hash: hash("c") });
    // In whatever order Redis has them.
    const kept = [...(await anchors.list())].sort((a, b) => b.seq - a.seq);
    assert.deepEqual(
      kept.map(({ chain, seq, hash }) => ({ chain, seq, hash })),
      [
        { chain: "one", seq: 20, hash: hash("b") },
        { chain: "other", seq: 0, hash: hash("c") },
      ],
    );
    const [seconds] = await admin.time();
    for (const { at } of kept) assert.ok(Math.abs(Date.parse(at) / 1000 - Number(seconds)) < 600, at);
  });

  it("never go back, however late one arrives", async () => {
    const anchors = createRedisAnchors(client);
    await anchors.keep({ chain: "late", seq: 10, hash: hash("a") });
    await anchors.keep({ chain: "late", seq: 9, hash: hash("b") });
    await anchors.keep({ chain: "late", seq: 10, hash: hash("d") });
    const kept = (await anchors.list()).find(({ chain }) => chain === "late");
    assert.equal(kept?.hash, hash("a"));
  });

  it("are so many at most: the chains that were heard of last", async () => {
    await admin.del(`team-a:${ANCHORS_KEY}`, `team-a:${ANCHORED_KEY}`);
    const old = Array.from({ length: MAX_ANCHORS + 5 }, (_, index) => `old-${index}`);
    await admin.hset(`team-a:${ANCHORS_KEY}`, ...old.flatMap((chain) => [chain, `1 ${hash("a")} 1`]));
    await admin.zadd(`team-a:${ANCHORED_KEY}`, ...old.flatMap((chain, index) => [index, chain]));
    const anchors = createRedisAnchors(client);
    await anchors.keep({ chain: "new", seq: 0, hash: hash("b") });
    const chains = new Set((await anchors.list()).map(({ chain }) => chain));
    assert.equal(chains.size, MAX_ANCHORS);
    assert.ok(chains.has("new") && !chains.has("old-5") && chains.has("old-6"));
    assert.equal(await admin.zcard(`team-a:${ANCHORED_KEY}`), MAX_ANCHORS);
  });

  it("say that the store can't be asked where it can't", async () => {
    const anchors = createRedisAnchors(client);
    await server.kill();
    await assert.rejects(anchors.keep({ chain: "x", seq: 1, hash: hash("a") }), StoreUnavailableError);
    await assert.rejects(anchors.list(), StoreUnavailableError);
    await server.restart();
  });
});
