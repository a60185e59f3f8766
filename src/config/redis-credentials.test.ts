import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseConfig } from "./parse-config.ts";
import { files, problemsOf } from "./problems-of.ts";

const SENTINELS = "redis+sentinel://a,b/m";

describe("User and password in settings of their own", () => {
  it("belong to their address, to its Sentinels and to the keyring each", () => {
    const { redis, keyringRedis } = parseConfig(
      {
        REDIS_URL: SENTINELS,
        REDIS_USERNAME: "app",
        REDIS_PASSWORD_FILE: "/run/redis",
        REDIS_SENTINEL_USERNAME: "watcher",
        REDIS_SENTINEL_PASSWORD_FILE: "/run/sentinel",
        KEYRING_REDIS_URL: "unix:/run/ring.sock",
        KEYRING_REDIS_PASSWORD_FILE: "/run/ring",
      },
      files({ "/run/redis": "one\n", "/run/sentinel": "two", "/run/ring": "three: @/?#%" }),
    );
    assert.ok(redis?.kind === "sentinel");
    assert.deepEqual([redis.username, redis.password], ["app", "one"]);
    assert.deepEqual([redis.sentinelUsername, redis.sentinelPassword], ["watcher", "two"]);
    assert.deepEqual([keyringRedis?.username, keyringRedis?.password], [undefined, "three: @/?#%"]);
  });

  it("leave an address alone that holds its own", () => {
    const { redis } = parseConfig({ REDIS_URL: "redis://u:p@h" }, files());
    assert.deepEqual([redis?.username, redis?.password], ["u", "p"]);
  });

  it("are refused beside those in the address, without an address, and by halves", () => {
    for (const [environment, expected] of [
      [{ REDIS_PASSWORD: "QX81" }, /^REDIS_PASSWORD: goes with REDIS_URL/],
      [{ REDIS_URL: "redis://h", KEYRING_REDIS_PASSWORD: "QX81" }, /^KEYRING_REDIS_PASSWORD: goes with KEYR/],
      [
        { REDIS_URL: "redis://:p@h", REDIS_PASSWORD: "QX81" },
        /^REDIS_PASSWORD: REDIS_URL holds .* Remove one/,
      ],
      [
        { REDIS_URL: "redis://h", REDIS_USERNAME: "QX81" },
        /^REDIS_USERNAME: needs a password\. Set REDIS_PASS/,
      ],
      [{ REDIS_URL: "redis://h", REDIS_SENTINEL_PASSWORD: "QX81" }, /^REDIS_SENTINEL_PASSWORD: has no use/],
      [
        { REDIS_URL: SENTINELS, REDIS_SENTINEL_USERNAME: "QX81" },
        /^REDIS_SENTINEL_USERNAME: needs a password/,
      ],
      [
        { REDIS_URL: `${SENTINELS}?sentinel_password=p`, REDIS_SENTINEL_PASSWORD: "QX81" },
        /^REDIS_SENTINEL_PASSWORD: REDIS_URL holds the Sentinels' .* Remove one/,
      ],
      [{ REDIS_URL: "redis://h", REDIS_PASSWORD: "QX81\nQX81" }, /^REDIS_PASSWORD: has several lines/],
    ] as const) {
      const problems = problemsOf(environment);
      assert.equal(problems.length, 1, JSON.stringify(environment));
      assert.match(problems.join(), expected);
      assert.ok(!problems.join().includes("QX81"), problems.join());
    }
  });
});

describe("Other settings of Redis", () => {
  it("take a prefix of harmless letters, and refuse what a Cluster or an ACL would read otherwise", () => {
    const config = (prefix: string) =>
      parseConfig({ REDIS_URL: "redis://h", REDIS_KEY_PREFIX: prefix }, files());
    for (const prefix of ["team-a:", "a", "a/b.c_d:"]) assert.equal(config(prefix).redisKeyPrefix, prefix);
    for (const prefix of ["{a}", "a b", "a*", "a?", "[a]", "a\\", "ä", "a".repeat(65)]) {
      const problems = problemsOf({ REDIS_URL: "redis://h", REDIS_KEY_PREFIX: prefix });
      assert.match(problems.join(), /^REDIS_KEY_PREFIX: .*Write up to 64 letters/);
    }
  });

  it("take a server name that a certificate can hold", () => {
    const named = (name: string) => ({ REDIS_URL: "rediss://h", REDIS_SERVER_NAME: name });
    assert.equal(parseConfig(named("redis.example.org"), files()).redisTls.serverName, "redis.example.org");
    for (const name of ["10.0.0.1", "::1", "https://h", "h:6379"])
      assert.match(problemsOf(named(name)).join(), /^REDIS_SERVER_NAME: .*Write the name/);
  });

  it("take a time to wait for replicas that leaves room within two seconds", () => {
    const wait = (text: string) => ({ REDIS_URL: "redis://h", REDIS_WAIT_TIMEOUT: text });
    assert.equal(parseConfig(wait("250ms"), files()).redisWaitTimeout, 250);
    assert.equal(parseConfig(wait("1s"), files()).redisWaitTimeout, 1000);
    for (const text of ["500", "0", "49ms", "1001ms", "2s", "1m", "0.5s"])
      assert.match(problemsOf(wait(text)).join(), /^REDIS_WAIT_TIMEOUT: .*Write/);
  });
});
