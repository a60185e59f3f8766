import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { parseRedisUrl } from "../../config/redis-url.ts";
import {
  formatId,
  parseClaim,
  parseDigest,
  parseShare,
  storedCiphertext,
  type TtlSeconds,
} from "../../envelope/tokens.ts";
import { connectRedis } from "../../store/connect-redis.ts";
import { createRedisStore } from "../../store/redis.ts";
import type { NewSecret } from "../../store/store.ts";
import { makePatient } from "../../testing/open-redis-store.ts";
import { eventually } from "../faults/eventually.ts";
import { createHelm, type Helm } from "./helm.ts";
import { render } from "./manifests.ts";
import { kill, prepareRedisNodes, type RedisNode, type RedisNodes } from "./redis-node.ts";
import { attempt } from "./run.ts";
import { ensureTools } from "./tools.ts";

let helm: Helm;
before(async () => {
  helm = await createHelm((await ensureTools()).helm);
});
after(() => helm?.stop());

/** Where all is slow, a failover is given up and begun again. */
const until = (what: string, check: () => Promise<boolean>) => eventually(what, check, 100);

function random<T>(parse: (text: unknown) => T | undefined, bytes = 32): T {
  const parsed = parse(randomBytes(bytes).toString("base64url"));
  assert.ok(parsed !== undefined);
  return parsed;
}

function newSecret(): NewSecret {
  return {
    id: formatId(new Uint8Array(randomBytes(16))),
    ...{ linkHash: random(parseDigest), accessHash: random(parseDigest), receiptHash: random(parseDigest) },
    share: random(parseShare),
    size: 2000,
    blob: storedCiphertext(new Uint8Array(randomBytes(2000))),
    ttl: 600 as TtlSeconds,
    passphrase: true,
  };
}

const limits = { retention: 3600, passphraseTries: 3, redeliveryWindow: 30, maxTtl: 3600 };

function openStore(url: string, waitReplicas: number) {
  const client = makePatient(connectRedis({ address: parseRedisUrl(url) }));
  return createRedisStore({ client, limits, waitReplicas, waitTimeout: 10_000 });
}

/** Asked one by one: WAIT speaks of what its own connection wrote, and redis-cli makes one for each command. */
async function allKeep({ nodes }: RedisNodes): Promise<boolean> {
  const kept = await Promise.all(nodes.map((node) => node.ask("GET", "ws:kept")));
  return kept.every((value) => value === "sealed");
}

/** What anybody on the machine can read of what runs here. */
function commandLines(): string {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8");
      } catch {
        return ""; // it has ended meanwhile
      }
    })
    .join("\n");
}

describe("the chart's single Redis", () => {
  let redis: RedisNodes;
  let node: RedisNode;
  before(async () => {
    redis = await prepareRedisNodes(await render(helm, { values: { redis: { maxMemoryMiB: 32 } } }), 1);
    node = redis.nodes[0] as RedisNode;
    node.startRedis();
    await until("readiness", async () => (await node.script("ready.sh")).code === 0);
  });
  after(() => redis?.stop());

  it("suits the store: no doubts, and every act is allowed", async () => {
    const store = openStore(redis.url, 0);
    try {
      assert.deepEqual(await store.check(), []);
      const { id, ...secret } = newSecret();
      assert.equal((await store.create({ id, ...secret })).kind, "created");
      assert.equal((await store.read(id))?.state, "sealed");
      assert.equal((await store.readBlob(id, 0, 2000))?.byteLength, 2000);
      assert.equal(await store.countPending(), 1);
      const claim = random(parseClaim, 16);
      const wrong = { id, linkHash: secret.linkHash, accessHash: random(parseDigest), claim };
      for (let tries = 0; tries < limits.passphraseTries; tries++) await store.open(wrong);
      assert.equal((await store.read(id))?.state, "locked");
      assert.equal((await store.unlock(id)).kind, "unlocked");
      const opened = await store.open({ ...wrong, accessHash: secret.accessHash });
      assert.equal(opened.kind, "handed-over");
      assert.equal((await store.acknowledge(id, claim)).kind, "acknowledged");
      assert.equal((await store.delete(id)).kind, "ended");
      const other = newSecret();
      await store.create(other);
      assert.equal((await store.delete(other.id)).kind, "deleted");
      assert.deepEqual(await store.collectExpired(), []);
    } finally {
      await store.close();
    }
  });

  it("allows nothing else: not other keys, not what looks around or writes to disk", async () => {
    assert.equal(await node.ask("SET", "ws:x", "1"), "OK");
    const forbidden = [
      ["GET", "other"],
      ["KEYS", "*"],
      ["SCAN", "0"],
      ["CONFIG", "GET", "*"],
      ["MONITOR"],
      ["DEBUG", "SLEEP", "0"],
      ["SAVE"],
      ["BGSAVE"],
      ["DUMP", "ws:x"],
      ["SLOWLOG", "GET"],
      ["ACL", "LIST"],
      ["CLIENT", "LIST"],
      ["FLUSHALL"],
      ["REPLICAOF", "NO", "ONE"],
      ["SHUTDOWN"],
    ];
    for (const command of forbidden)
      assert.match(await node.ask(...command), /NOPERM|not allowed/, command.join(" "));
    const port = /:(\d+)/.exec(redis.url.split("@")[1] ?? "")?.[1] ?? "";
    const stranger = await attempt("redis-cli", ["-p", port, "PING"]);
    assert.match(stranger.stdout, /NOAUTH/);
  });

  it("keeps everything in memory, and says full rather than forgetting", async () => {
    const memory = await node.ask("INFO", "memory");
    assert.match(memory, /maxmemory_policy:noeviction/);
    assert.match(memory, /maxmemory:33554432/);
    const persistence = await node.ask("INFO", "persistence");
    assert.match(persistence, /aof_enabled:0/);
    // A snapshot at shutdown or on demand would show here; none was ever begun.
    assert.match(persistence, /rdb_last_bgsave_time_sec:-1/);
  });

  it("has no password in any command line", () => {
    const lines = commandLines();
    assert.ok(lines.includes("redis-server"));
    for (const password of redis.passwords) assert.ok(!lines.includes(password));
  });
});

describe("the chart's Redis under Sentinel", () => {
  let redis: RedisNodes;
  const running = new Map<RedisNode, ChildProcess>();

  async function master(): Promise<RedisNode> {
    const leading = [];
    for (const node of redis.nodes)
      if (/role:master/.test(await node.ask("INFO", "replication"))) leading.push(node);
    assert.equal(leading.length, 1, `${leading.length} masters`);
    return leading[0] as RedisNode;
  }

  /** One leads, the others follow it and have caught up. */
  async function whole(): Promise<boolean> {
    const replication = await (await master()).ask("INFO", "replication");
    const ready = await Promise.all(redis.nodes.map((node) => node.script("ready.sh")));
    return /connected_slaves:2/.test(replication) && ready.every(({ code }) => code === 0);
  }

  async function restartAtOnce(node: RedisNode, environment: NodeJS.ProcessEnv = {}): Promise<void> {
    await kill(running.get(node) as ChildProcess);
    running.set(node, node.startRedis(environment));
  }

  before(async () => {
    redis = await prepareRedisNodes(
      await render(helm, { values: { redis: { mode: "sentinel", maxMemoryMiB: 32 } } }),
      3,
    );
    // All at the same time, as pods of a StatefulSet with parallel management start.
    for (const node of redis.nodes) {
      node.startSentinel();
      running.set(node, node.startRedis());
    }
    await until("the first replication", whole).catch((error: Error) => {
      throw new Error(`${error.message}\n${redis.nodes.map((node) => node.output()).join("\n")}`);
    });
    // Sentinels know each other through the master a moment later.
    await until("a quorum", async () =>
      redis.nodes.every((node) => /\+sentinel sentinel/.test(node.output())),
    );
  });
  after(() => redis?.stop());

  it("suits the store, which waits for both replicas", async () => {
    const store = openStore(redis.url, 2);
    try {
      assert.deepEqual(await store.check(), []);
      assert.equal((await store.create(newSecret())).kind, "created");
    } finally {
      await store.close();
    }
  });

  it("loses nothing when the master crashes and is restarted empty at once", async () => {
    const first = await master();
    assert.equal(await first.ask("SET", "ws:kept", "sealed"), "OK");
    await until("both replicas to have it", () => allKeep(redis));
    await restartAtOnce(first);
    await until("a failover", async () => (await whole()) && (await master()) !== first);
    assert.equal(await (await master()).ask("GET", "ws:kept"), "sealed");
    for (const node of redis.nodes)
      assert.match(await node.ask("INFO", "replication"), /role:(master|slave)/);
  });

  it("hands over before a pod goes", async () => {
    const first = await master();
    assert.equal((await first.script("hand-over.sh")).code, 0);
    assert.match(await first.ask("INFO", "replication"), /role:slave/, "it returned before the hand-over");
    await until("the others to follow", whole);
    assert.equal(await (await master()).ask("GET", "ws:kept"), "sealed");
    const leader = await master();
    assert.notEqual(leader, first);
    // Where there is nothing to hand over, it is done at once.
    assert.equal((await first.script("hand-over.sh")).code, 0);
    assert.equal(await master(), leader);
  });

  it("hands over too while it is silent, which does not say that it doesn't lead", async () => {
    const first = await master();
    const others = redis.nodes.filter((node) => node !== first);
    const frozen = running.get(first) as ChildProcess;
    frozen.kill("SIGSTOP");
    try {
      assert.equal((await first.script("hand-over.sh")).code, 0);
      const said = await Promise.all(others.map((node) => node.ask("INFO", "replication")));
      assert.equal(said.filter((text) => /role:master/.test(text)).length, 1, "it returned too early");
    } finally {
      frozen.kill("SIGCONT");
    }
    await until("the old one to follow", whole);
    assert.equal(await (await master()).ask("GET", "ws:kept"), "sealed");
  });

  it("shows no password in any command line", () => {
    const lines = commandLines();
    for (const password of redis.passwords) assert.ok(!lines.includes(password));
  });

  it("loses nothing either when it has waited long enough, and another node still holds secrets", async () => {
    const first = await master();
    assert.equal(await first.ask("GET", "ws:kept"), "sealed");
    await restartAtOnce(first, { FAILOVER_WAIT_SECONDS: "0" });
    await until("a failover", async () => (await whole()) && (await master()) !== first);
    assert.equal(await (await master()).ask("GET", "ws:kept"), "sealed");
  });
});

describe("the chart's Redis while no Sentinel speaks", () => {
  let redis: RedisNodes;
  before(async () => {
    redis = await prepareRedisNodes(await render(helm, { values: { redis: { mode: "sentinel" } } }), 3);
  });
  after(() => redis?.stop());

  it("is led by the first node when everything starts, which comes back silent while another holds secrets", async () => {
    const [first, second] = redis.nodes;
    assert.ok(first && second);
    const running = redis.nodes.map((node) => node.startRedis());
    await until("the first replication", async () =>
      /role:master[\s\S]*connected_slaves:2/.test(await first.ask("INFO", "replication")),
    );
    assert.equal(await first.ask("SET", "ws:kept", "sealed"), "OK");
    await until("both replicas to have it", () => allKeep(redis));
    await kill(running[0] as ChildProcess);

    // It asks the second twice in each round; so does this, once.
    let own = 0;
    const asked = async () => {
      const said = await second.ask("INFO", "commandstats");
      own += 1;
      return Number(/cmdstat_info:calls=(\d+)/.exec(said)?.[1]) - own;
    };
    // Where nobody has asked yet, it has no such number: not before this has.
    await second.ask("INFO");
    own += 1;
    const before = await asked();
    assert.ok(before >= 0);
    first.startRedis({ FAILOVER_WAIT_SECONDS: "0" });
    await until("three rounds", async () => (await asked()) >= before + 6);
    assert.match(await first.ask("PING"), /refused/);
    assert.equal(await second.ask("GET", "ws:kept"), "sealed");
  });
});
