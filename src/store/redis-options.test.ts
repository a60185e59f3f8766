import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseRedisUrl } from "../config/redis-url.ts";
import { clusterOptions, serverOptions } from "./redis-options.ts";

function serverAt(url: string) {
  const address = parseRedisUrl(url);
  assert.ok(address.kind !== "cluster");
  return serverOptions(address, undefined, "");
}

function clusterAt(url: string) {
  const address = parseRedisUrl(url);
  assert.ok(address.kind === "cluster");
  return clusterOptions(address, undefined, "");
}

/** What each kind of client waits before its n-th try. */
const delays = [
  ["one server", serverAt("redis://h").retryStrategy],
  ["Sentinels", serverAt("redis+sentinel://h/m").sentinelRetryStrategy],
  ["a Cluster", clusterAt("redis+cluster://h").clusterRetryStrategy],
] as const;

describe("A client that has lost Redis", () => {
  for (const [what, delay] of delays) {
    it(`tries again soon, then less and less often, never all at once and never later than in 1.1 s: ${what}`, () => {
      assert.ok(delay);
      const tries = Array.from({ length: 40 }, (_, index) => Number(delay(index + 1)));
      assert.ok((tries[0] ?? 0) >= 25 && (tries[0] ?? 0) <= 100);
      for (const wait of tries) assert.ok(wait <= 1_100);
      for (const wait of tries.slice(6)) assert.ok(wait >= 1_000);
      assert.ok(new Set(tries.slice(6)).size > 20, "they differ, so that not all replicas come at once");
    });
  }

  it("queues nothing and sends nothing a second time", () => {
    const server = serverAt("redis://h");
    assert.equal(server.enableOfflineQueue, false);
    const cluster = clusterAt("redis+cluster://h");
    assert.equal(cluster.enableOfflineQueue, false);
    for (const connection of [server, cluster.redisOptions]) {
      assert.equal(connection.autoResendUnfulfilledCommands, false);
      assert.equal(connection.maxRetriesPerRequest, 0);
    }
    // ioredis would send what a broken connection had not answered to another node.
    assert.equal(cluster.retryDelayOnFailover, 0);
  });
});
