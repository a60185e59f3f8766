import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseRedisUrl } from "./redis-url.ts";
import { ValueError } from "./value-error.ts";

const single = { kind: "single", tls: false, username: undefined, password: undefined, database: 0 };

describe("parseRedisUrl", () => {
  it("reads a host alone and supplies the port and the database", () => {
    assert.deepEqual(parseRedisUrl("redis://redis"), { ...single, host: "redis", port: 6379 });
  });

  it("reads user, password, port and database over TLS", () => {
    assert.deepEqual(parseRedisUrl("rediss://app:p%40ss%2Fword@10.0.0.1:6380/3"), {
      kind: "single",
      tls: true,
      username: "app",
      password: "p@ss/word",
      host: "10.0.0.1",
      port: 6380,
      database: 3,
    });
  });

  it("reads a password without a user", () => {
    assert.deepEqual(parseRedisUrl("redis://:pw@h/"), { ...single, password: "pw", host: "h", port: 6379 });
  });

  it("reads IPv6 addresses in brackets", () => {
    assert.deepEqual(parseRedisUrl("redis://[::1]:7000"), { ...single, host: "::1", port: 7000 });
  });

  it("reads the path of a socket, with or without slashes before it, and the database", () => {
    const { kind: _, ...common } = single;
    const socket = { kind: "unix", ...common, path: "/run/redis/redis.sock" };
    assert.deepEqual(parseRedisUrl("unix:/run/redis/redis.sock"), socket);
    assert.deepEqual(parseRedisUrl("unix:///run/redis/redis.sock?database=2"), { ...socket, database: 2 });
    assert.deepEqual(parseRedisUrl("unix:/run/my%20redis.sock"), { ...socket, path: "/run/my redis.sock" });
  });

  it("reads some nodes of a Cluster", () => {
    const address = parseRedisUrl("rediss+cluster://u:p@a,b:7000,[::1]");
    assert.deepEqual(address, {
      kind: "cluster",
      tls: true,
      username: "u",
      password: "p",
      nodes: [
        { host: "a", port: 6379 },
        { host: "b", port: 7000 },
        { host: "::1", port: 6379 },
      ],
      database: 0,
    });
    assert.equal(parseRedisUrl("redis+cluster://a/").kind, "cluster");
  });

  it("says that a Cluster has no databases, and where a socket's password goes", () => {
    assert.throws(() => parseRedisUrl("redis+cluster://a,b/1"), /a Cluster has only one\. Remove/);
    assert.throws(() => parseRedisUrl("unix://:secret@/run/redis.sock"), /REDIS_PASSWORD/);
  });

  it("reads several Sentinels, the master's name and the Sentinels' own credentials", () => {
    assert.deepEqual(
      parseRedisUrl(
        "rediss+sentinel://u:p@a,b:1,[::1]:2/my%20master/1?sentinel_username=su&sentinel_password=s%26p",
      ),
      {
        kind: "sentinel",
        tls: true,
        username: "u",
        password: "p",
        sentinels: [
          { host: "a", port: 26_379 },
          { host: "b", port: 1 },
          { host: "::1", port: 2 },
        ],
        masterName: "my master",
        database: 1,
        sentinelUsername: "su",
        sentinelPassword: "s&p",
      },
    );
  });

  it("refuses other schemes, missing hosts, wrong ports, databases and queries", () => {
    for (const text of [
      "",
      "redis",
      "redis:6379",
      "http://redis",
      "REDIS://redis",
      "redis+cluster://",
      "redis+cluster://a,",
      "redis+cluster://a/1",
      "redis+cluster://a/0/0",
      "redis+cluster://a?x=1",
      "cluster://a",
      "unix:",
      "unix:redis.sock",
      "unix:/",
      "unix:/run/",
      "unix://run/redis.sock",
      "unix://u:p@/run/redis.sock",
      "unix:/run/redis.sock?db=1",
      "unix:/run/redis.sock?database=x",
      "unix:/run/redis.sock?database=1&password=p",
      "unix:/run/redis.sock#1",
      "redis://",
      "redis://:6379",
      "redis://h:0",
      "redis://h:65536",
      "redis://h:port",
      "redis://a,b",
      "redis://h/db",
      "redis://h/01",
      "redis://h/0/1",
      "redis://h?family=6",
      "redis://h#x",
      "redis://user@h",
      "redis://u:p%@h",
      "redis://u:p@w@h",
      "redis+sentinel://a,b",
      "redis+sentinel://a,,b/m",
      "redis+sentinel://a/m/0/1",
      "redis+sentinel://a/m?sentinel_password=1&sentinel_password=2",
      "redis+sentinel://a/m?db=1",
    ]) {
      assert.throws(() => parseRedisUrl(text), ValueError, text);
    }
  });

  it("never repeats any part of the password in what it says", () => {
    // Letters that no sentence of ours holds, so that a hit is a leak.
    const password = fc.stringMatching(/^[QXZ0-9]{6,20}$/).map((text) => `Q${text}`);
    const broken = fc.constantFrom(
      (p: string) => `redis://${p}`,
      (p: string) => `redis://${p}@h`,
      (p: string) => `redis://:${p}%@h`,
      (p: string) => `redis://:${p}@h/x`,
      (p: string) => `redis://:${p}@h:99999`,
      (p: string) => `redis://:${p}/x@h`,
      (p: string) => `redis://:@${p}@h`,
      (p: string) => `redis+sentinel://:${p}@h`,
      (p: string) => `redis+sentinel://h/m?password=${p}`,
      (p: string) => `tcp://:${p}@h`,
      (p: string) => `unix://:${p}@/run/redis.sock`,
      (p: string) => `unix:/run/redis.sock?password=${p}`,
      (p: string) => `redis+cluster://:${p}@h/1`,
      (p: string) => p,
    );
    fc.assert(
      fc.property(password, broken, (secret, make) => {
        try {
          const address = parseRedisUrl(make(secret));
          // "redis://PASSWORD" is a host name like any other.
          assert.equal(address.kind === "single" && address.host, secret);
        } catch (error) {
          assert.ok(error instanceof ValueError, String(error));
          assert.ok(!error.message.includes(secret));
        }
      }),
    );
  });
});
