import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connectPatiently } from "../testing/open-redis-store.ts";
import { startRedis } from "../testing/redis-server.ts";
import { until } from "../testing/until.ts";
import { createWaitPool } from "./wait-pool.ts";

describe("An act on a connection that waits for replicas", () => {
  it("does not count as replicated where the connection was replaced before its WAIT", async () => {
    const master = await startRedis();
    const replica = await startRedis("--replicaof", "127.0.0.1", String(master.port));
    const [admin, mirror] = [await master.client(), await replica.client()];
    await until(async () => (await mirror.info("replication")).includes("master_link_status:up"));
    const client = await connectPatiently(master.port);
    const pool = createWaitPool(client, [], { replicas: 1, timeout: 20_000 });
    try {
      const whole = await pool.run("key", (connection) => connection.set("key", "whole"));
      assert.deepEqual(whole, { value: "OK", replicated: true });
      const torn = await pool.run("key", async (connection) => {
        await connection.set("key", "torn");
        const { stream } = connection;
        await admin.client("KILL", "ID", await connection.client("ID"));
        await until(() => connection.stream !== stream && connection.status === "ready");
        return "done";
      });
      assert.deepEqual(torn, { value: "done", replicated: false });
    } finally {
      pool.close();
      client.disconnect();
      await Promise.all([master.stop(), replica.stop()]);
    }
  });
});
