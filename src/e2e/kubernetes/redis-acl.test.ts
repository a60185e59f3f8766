import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Options } from "express-rate-limit";
import { Redis } from "ioredis";
import { parseRedisUrl } from "../../config/redis-url.ts";
import { connectRedis, openRedis } from "../../store/connect-redis.ts";
import { storeContract } from "../../store/contract.ts";
import { changesContract } from "../../store/contract-changes.ts";
import { outboxContract } from "../../store/contract-outbox.ts";
import { createRedisStore } from "../../store/redis.ts";
import { createRedisAnchors } from "../../store/redis-anchors.ts";
import { createRedisChanges } from "../../store/redis-changes.ts";
import { createLimitStore } from "../../store/redis-limits.ts";
import { createRedisOutbox } from "../../store/redis-outbox.ts";
import { defineScripts, loadScripts } from "../../store/redis-scripts.ts";
import type { Store } from "../../store/store.ts";
import { advanceRedis } from "../../testing/advance-redis.ts";
import { makePatient } from "../../testing/open-redis-store.ts";
import { until } from "../../testing/until.ts";
import { chartFolder, createHelm } from "./helm.ts";
import { render } from "./manifests.ts";
import { prepareRedisNodes, type RedisNode } from "./redis-node.ts";
import { ensureTools } from "./tools.ts";

// The store's whole contract, as the user that the chart lets Waxseal be: an act that needs a command
// which the list lacks fails here. The test's own user moves the clock, which Waxseal must not.
const helm = await createHelm((await ensureTools()).helm);
const redis = await prepareRedisNodes(await render(helm), 1, "user tester on nopass ~* &* +@all");
await helm.stop();
const node = redis.nodes[0] as RedisNode;
node.startRedis();
await until(async () => (await node.script("ready.sh")).code === 0);

const address = parseRedisUrl(redis.url);
assert.ok(address.kind === "single");
const admin = new Redis({ host: address.host, port: address.port, username: "tester", password: "any" });
after(async () => {
  admin.disconnect();
  await redis.stop();
});

async function connect() {
  const client = makePatient(connectRedis({ address }));
  await openRedis(client);
  return client;
}

storeContract("the chart's Redis", async (limits, followEnds) => {
  await admin.flushall();
  const stores: Store[] = [];
  async function another(): Promise<Store> {
    const store = createRedisStore({ client: await connect(), limits, followEnds });
    stores.push(store);
    return store;
  }
  return {
    store: await another(),
    another,
    advance: (seconds) => advanceRedis(admin, seconds),
    async close() {
      await Promise.all(stores.map((store) => store.close()));
    },
  };
});

outboxContract("An outbox in the chart's Redis", async (limits) => {
  await admin.flushall();
  const clients = await Promise.all([connect(), connect()]);
  const [outbox, other] = clients.map((client) => createRedisOutbox({ client, limits }));
  assert.ok(outbox && other);
  return {
    outbox,
    another: async () => other,
    advance: (seconds) => advanceRedis(admin, seconds),
    async close() {
      for (const client of clients) client.disconnect();
    },
  };
});

changesContract("Replicas on the chart's Redis", async () => {
  const refused: string[] = [];
  const closing: (() => Promise<void>)[] = [];
  async function another() {
    const client = await connect();
    const onRefused = ({ code }: { code: string }) => void refused.push(code);
    const changes = createRedisChanges({ client, keyPrefix: "", onRefused });
    closing.push(async () => {
      await changes.close();
      client.disconnect();
    });
    return changes;
  }
  return {
    changes: await another(),
    another,
    async close() {
      for (const close of closing) await close();
      assert.deepEqual(refused, []);
    },
  };
});

it("keeps the audit trail's anchors", async () => {
  const client = await connect();
  try {
    defineScripts(client, loadScripts());
    const anchors = createRedisAnchors(client);
    await anchors.keep({ chain: "chart", seq: 3, hash: "a".repeat(64) });
    assert.deepEqual(
      (await anchors.list()).map(({ chain, seq }) => [chain, seq]),
      [["chart", 3]],
    );
  } finally {
    client.disconnect();
  }
});

it("lets the rate limits count in Redis, where all pods share them", async () => {
  const client = await connect();
  try {
    const limit = createLimitStore({ client, name: "chart", patience: 30_000 });
    await limit.init?.({ windowMs: 60_000 } as Options);
    await limit.increment("192.0.2.1");
    assert.equal((await limit.increment("192.0.2.1")).totalHits, 2);
    await limit.decrement("192.0.2.1");
    assert.equal((await limit.get?.("192.0.2.1"))?.totalHits, 1);
    // Were it refused, it would quietly count in this process instead.
    const keys = await admin.keys("ws:limit:chart:*");
    assert.equal(keys.length, 1);
    await limit.resetKey("192.0.2.1");
    assert.deepEqual(await admin.keys("ws:limit:chart:*"), []);
  } finally {
    client.disconnect();
  }
});

it("allows every command that compose.yaml's Redis allows", () => {
  const script = fileURLToPath(new URL("../../../deploy/compose/redis-start.sh", import.meta.url));
  const [, listed = ""] = /^commands='([^']*)'/m.exec(readFileSync(script, "utf8")) ?? [];
  const commands = listed.split(/\s+/).filter(Boolean);
  assert.ok(commands.length > 20);
  const ours = new Set(readFileSync(`${chartFolder}/files/redis/app.acl`, "utf8").split(/\s+/));
  assert.deepEqual(
    commands.filter((command) => !ours.has(command)),
    [],
  );
});
