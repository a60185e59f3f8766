import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseRedisUrl } from "../config/redis-url.ts";
import { connectRedis, openRedis } from "../store/connect-redis.ts";
import { createRedisStore } from "../store/redis.ts";
import { StoreUnavailableError } from "../store/store.ts";
import { newSecret, opening } from "../testing/new-secret.ts";
import { TEST_LIMITS } from "../testing/open-redis-store.ts";
import { startComposeRedis } from "./forensics/compose-redis.ts";

describe("The Redis that compose.yaml starts", () => {
  it("lets Waxseal use the keys with REDIS_KEY_PREFIX, and no others", async () => {
    const redis = await startComposeRedis({ name: "redis", env: { REDIS_KEY_PREFIX: "team-a:" } });
    const open = async (keyPrefix: string) => {
      const client = connectRedis({ address: parseRedisUrl(redis.url), keyPrefix });
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

  it("does not start with a prefix that would mean something else in an ACL", async () => {
    const start = startComposeRedis({ name: "redis", env: { REDIS_KEY_PREFIX: "a* ~" } });
    await assert.rejects(start, /REDIS_KEY_PREFIX may hold only letters/);
  });
});
