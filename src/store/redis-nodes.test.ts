import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startRedis } from "../testing/redis-server.ts";
import { slotOf } from "./redis-nodes.ts";

describe("slotOf", () => {
  it("says what Redis says, whatever braces there are", async () => {
    const server = await startRedis("--cluster-enabled", "yes");
    try {
      const admin = await server.client();
      const keys = [
        "123456789",
        "ws:due",
        "ws:{AbC-_9}:record",
        "a{}{b}",
        "a{{b}}c",
        "a{b",
        "a}b{c}",
        "{}",
        "",
      ];
      for (const key of keys) assert.equal(slotOf(key), await admin.cluster("KEYSLOT", key), key);
    } finally {
      await server.stop();
    }
  });
});
