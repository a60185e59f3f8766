import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { COMMANDS } from "../store/redis-commands.ts";
import { freePort } from "../testing/free-port.ts";
import { startCluster } from "../testing/redis-cluster.ts";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { type ServerProcess, startServer } from "../testing/server-process.ts";
import { until } from "../testing/until.ts";
import { visit, visitOnce } from "./testing.ts";

const PASSWORD = "correct-horse-battery";
const cleanUps: (() => unknown)[] = [];
after(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

let server: ServerProcess;
before(async () => {
  server = await startServer();
  cleanUps.push(() => server.stop());
});

async function redis(...args: string[]): Promise<TestRedis> {
  const started = await startRedis(...args);
  cleanUps.push(() => started.stop());
  return started;
}

const MODEST = ["--maxmemory", "64mb", "--slowlog-max-len", "0"];
const NEEDED = COMMANDS.map(({ name }) => name);

/** A user who may do what is needed, but for what is left out. */
function user(without: readonly string[] = [], more: readonly string[] = []): string[] {
  const commands = NEEDED.filter((name) => !without.includes(name)).map((name) => `+${name}`);
  return [
    "--user",
    "app",
    "on",
    `>${PASSWORD}`,
    "~ws:*",
    "&ws:changed",
    "-@all",
    ...commands,
    ...more,
    "--user",
    "default",
    "off",
  ];
}
const urlOf = ({ port }: TestRedis, password = PASSWORD) => `redis://app:${password}@127.0.0.1:${port}`;

/** What it says of this Redis; the server beside it is another matter. */
const look = (url: string, more: Readonly<Record<string, string>> = {}) =>
  visit({ PORT: String(server.port), REDIS_URL: url, ...more });

describe("The doctor, at Redis", () => {
  it("finds nothing wrong with one that is set up as it should be, under a server that does its work there", async () => {
    const REDIS_URL = urlOf(await redis(...MODEST, ...user()));
    const own = await startServer({ REDIS_URL });
    cleanUps.push(() => own.stop());
    const { code, worries, output } = await visit({ REDIS_URL, PORT: String(own.port) });
    assert.deepEqual(worries, []);
    assert.equal(code, 0);
    assert(!output.includes(PASSWORD));
  });

  it("says what to correct where nobody answers or the password is wrong, and shows no password", async () => {
    const nobody = await look(`redis://app:${PASSWORD}@127.0.0.1:${await freePort()}`);
    nobody.says("problem", "Redis", /does not answer \(ECONNREFUSED\)\. Start it, or correct REDIS_URL/);
    const refused = await look(urlOf(await redis(...user()), "rosebud"));
    refused.says("problem", "Redis", /refuses the user or the password/);
    for (const { output } of [nobody, refused])
      assert(!output.includes(PASSWORD) && !output.includes("rosebud"));
  });

  it("finds a server that has lost its Redis", async () => {
    const lost = await redis(...MODEST);
    const own = await startServer({ REDIS_URL: lost.url });
    cleanUps.push(() => own.stop());
    await lost.kill();
    const { says } = await visitOnce({ REDIS_URL: lost.url, PORT: String(own.port) });
    says("problem", "readiness", /readyz answers 503.*See that its Redis runs/);
    says("problem", "round trip", /create answered 503 \(unavailable\)/);
    says("problem", "Redis", /does not answer/);
  });

  it("finds eviction, a replica in the master's place, and a user who may not ask", async () => {
    const evicting = await look((await redis("--maxmemory-policy", "allkeys-lru")).url);
    evicting.says("problem", "Redis: eviction", /allkeys-lru.*Set "maxmemory-policy noeviction"/);
    const master = await redis(...MODEST);
    const replica = await redis(...MODEST, "--replicaof", "127.0.0.1", String(master.port));
    const following = await replica.client();
    await until(async () => (await following.info("replication")).includes("master_link_status:up"));
    (await look(replica.url)).says("problem", "Redis: role", /is a replica.*address of its master/);
    const mute = await look(urlOf(await redis(...MODEST, ...user(["info"]))));
    mute.says("problem", "Redis: version", /does not tell its version.*\+info/);
  });

  for (const [how, args] of [
    ["snapshots", ["--save", "900 1"]],
    ["an append-only file", ["--appendonly", "yes"]],
  ] as const) {
    it(`finds ${how} where the shares are, and lets it be where they are not`, async () => {
      const writing = await redis(...MODEST, ...args);
      const disk = /writes to disk.*Set save "" and "appendonly no"/;
      (await look(writing.url)).says("problem", "Redis: persistence", disk);
      const memory = await redis(...MODEST);
      const both = await look(writing.url, { KEYRING_REDIS_URL: memory.url });
      both.says("ok", "Redis: persistence", /the shares are in the keyring's/);
      both.says("ok", "The keyring's Redis: persistence", /in memory only/);
      const swapped = await look(memory.url, { KEYRING_REDIS_URL: writing.url });
      swapped.says("problem", "The keyring's Redis: persistence", disk);
    });
  }

  it("sees memory run short", async () => {
    const small = await redis("--slowlog-max-len", "0");
    (await look(small.url)).says("warning", "Redis: memory", /no memory limit/);
    const admin = await small.client();
    // Filled by Redis itself: eight MiB on their way would be counted twice for a while.
    await admin.setrange("ballast", 2 ** 25, "x");
    const used = Number(/used_memory:(\d+)/.exec(await admin.info("memory"))?.[1]);
    const limit = async (share: number) => {
      await admin.config("SET", "maxmemory", String(Math.round(used / share)));
      return look(small.url);
    };
    // The default: new secrets are refused from four fifths on.
    (await limit(0.5)).says("ok", "Redis: memory", /uses \d+ of \d+ MiB \(STORE_BUDGET\)/);
    const low = await limit(0.72);
    low.says(
      "warning",
      "Redis: memory",
      /leaves \d\.\d MiB for new secrets\. Raise maxmemory before it is full/,
    );
    for (const share of [0.81, 1]) {
      (await limit(share)).says(
        "problem",
        "Redis: memory",
        /new secrets are refused\. Raise maxmemory or STORE_/,
      );
    }
    const own = await look(small.url, { STORE_BUDGET: "1GiB" });
    own.says("problem", "Redis: memory", /new secrets are refused/);
    await admin.config("SET", "maxmemory", "0");
    (await look(small.url, { STORE_BUDGET: "1GiB" })).says("ok", "Redis: memory", /of 1024 MiB/);
    await admin.config("SET", "maxmemory", String(2 ** 50));
    (await look(small.url)).says("warning", "Redis: memory", /its machine has \d+\. Lower maxmemory/);
  });

  it("counts replicas against REDIS_WAIT_REPLICAS", async () => {
    const master = await redis(...MODEST);
    const missing = await look(master.url, { REDIS_WAIT_REPLICAS: "1" });
    missing.says(
      "problem",
      "Redis: replicas",
      /has 0 replica\(s\), and 1 must confirm, so nothing can be created/,
    );
    await redis(...MODEST, "--replicaof", "127.0.0.1", String(master.port));
    const admin = await master.client();
    await until(async () => (await admin.info("replication")).includes("state=online"));
    (await look(master.url)).says("warning", "Redis: replicas", /has 1 replica\(s\), and 0 must confirm/);
    (await look(master.url, { REDIS_WAIT_REPLICAS: "1" })).says("ok", "Redis: replicas", /1 must confirm/);
  });

  it("names the commands that an intruder would want and Waxseal does not", async () => {
    const generous = await redis(...MODEST, "--enable-debug-command", "yes");
    (await look(generous.url)).says("warning", "Redis: ACL", /may run MONITOR, CONFIG, DEBUG, KEYS, which/);
    const nosy = await look(urlOf(await redis(...MODEST, ...user([], ["+monitor"]))));
    nosy.says("warning", "Redis: ACL", /may run MONITOR, which/);
    // It watched on a connection of its own, which it closed.
    const list = await (await generous.client()).client("LIST");
    assert.doesNotMatch(String(list), /cmd=monitor/);
  });

  it("names the commands that Waxseal needs and may not use", async () => {
    const { says } = await look(urlOf(await redis(...MODEST, ...user(["getdel", "wait", "script|load"]))));
    says("problem", "Redis: commands", /Allow it: \+wait \+getdel \+script\|load, on keys ~ws:\*/);
  });

  it("names the keys by their prefix", async () => {
    const { says } = await look((await redis(...MODEST, ...user())).url.replace("//", `//app:${PASSWORD}@`), {
      REDIS_KEY_PREFIX: "team-a:",
    });
    says("problem", "Redis: commands", /on keys ~team-a:ws:\*/);
  });

  it("looks at every master of a Cluster, and at a socket", async () => {
    const cluster = await startCluster({ args: MODEST });
    cleanUps.push(() => cluster.stop());
    const [port = 0] = cluster.ports;
    const { says } = await look(`redis+cluster://127.0.0.1:${port}`);
    for (const each of cluster.ports) {
      says("ok", `Redis's node 127.0.0.1:${each}: kind`, /a node of a Cluster/);
      says("ok", `Redis's node 127.0.0.1:${each}: commands`, /may do all that Waxseal does/);
    }
    const node = await look(`redis://127.0.0.1:${port}`);
    node.says("problem", "Redis: kind", /is a node of a Cluster\. Write redis\+cluster:\/\//);
    const plain = await redis(...MODEST, "--unixsocket", "redis.sock");
    (await look(`redis+cluster://127.0.0.1:${plain.port}`)).says(
      "problem",
      "Redis",
      /is not a Cluster\. Write redis:\/\/ in place/,
    );
    (await look(`unix:${plain.dir}/redis.sock`)).says("ok", "Redis: commands", /may do all/);
    (await look(`unix:${plain.dir}/other.sock`)).says("problem", "Redis", /does not answer \(ENOENT\)/);
  });

  it("leaves nothing behind", async () => {
    const clean = await redis(...MODEST);
    await look(clean.url);
    const admin = await clean.client();
    await until(async () => (await admin.dbsize()) === 0);
  });

  it("warns of a slow log", async () => {
    (await look((await redis("--maxmemory", "64mb")).url)).says(
      "warning",
      "Redis: slow log",
      /Set slowlog-max-len 0/,
    );
  });

  it("compares clocks", async (t) => {
    const { url } = await redis(...MODEST);
    // This clock stands still from now on, Redis' goes on: what the look takes is missing from the 600.
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() + 600_000 });
    (await look(url)).says("problem", "Redis: clock", /(59\d|60[01]) seconds behind this machine's/);
  });
});
