import assert from "node:assert/strict";
import { after, afterEach, beforeEach, describe, it } from "node:test";
import type { Redis } from "ioredis";
import { Registry } from "prom-client";
import { createRedisOutbox } from "../store/redis-outbox.ts";
import type { SecretEvent, Store } from "../store/store.ts";
import { advanceRedis } from "../testing/advance-redis.ts";
import { newSecret, opening } from "../testing/new-secret.ts";
import { connectPatiently, openRedisStore } from "../testing/open-redis-store.ts";
import { startRedis } from "../testing/redis-server.ts";
import { until } from "../testing/until.ts";
import { createAudit } from "../web/audit.ts";
import { instrumentStore } from "../web/instrument-store.ts";
import { createMetrics } from "../web/metrics.ts";
import { startNotifications } from "./start-notifications.ts";
import type { Teller } from "./teller.ts";
import { createTestChannel, createTestLog, type TestChannel } from "./testing.ts";

const server = await startRedis();
const elsewhere = await startRedis();
const admin = await server.client();
const closing: (() => unknown)[] = [];
// Otherwise it would take what the next test's replicas are to tell.
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
after(() => Promise.all([server.stop(), elsewhere.stop()]));
beforeEach(() => admin.flushall());

interface Replica {
  readonly store: Store;
  readonly client: Redis;
  readonly notifications: Teller;
  /** The sweep that every replica makes again and again. */
  sweep(): Promise<unknown>;
  /** Without a word to anybody, as if killed. */
  die(): void;
}

const ends = { name: "test", wants: ({ kind }: { kind: string }) => kind !== "created" };

async function startReplica(channel: TestChannel, outboxPort = server.port): Promise<Replica> {
  const [client, ofOutbox] = await Promise.all([connectPatiently(server.port), connectPatiently(outboxPort)]);
  const inner = await openRedisStore(server.port, { client, followEnds: true });
  const notifications = startNotifications({
    channels: [channel],
    store: inner,
    outbox: createRedisOutbox({ client: ofOutbox }),
    log: createTestLog(),
    trail: { write: () => {} },
    registry: new Registry(),
  });
  closing.push(() => {
    client.disconnect();
    ofOutbox.disconnect();
    return notifications.close();
  });
  const audit = createAudit({ write: () => {} });
  const store = instrumentStore(inner, createMetrics(inner), audit, notifications.tell);
  return {
    store,
    client,
    notifications,
    sweep: () => store.collectExpired(notifications.tellNow),
    die() {
      client.disconnect();
      ofOutbox.disconnect();
    },
  };
}

/** A store that nobody listens to: what a replica leaves that dies right after the act. */
async function openSilently(): Promise<Store> {
  const store = await openRedisStore(server.port, { followEnds: true });
  closing.push(() => store.close());
  return store;
}

const keysOf = ({ asked }: TestChannel) => asked.map(({ key }) => key);
const kindsOf = ({ asked }: TestChannel) => asked.map(({ event }) => event.kind);

describe("Replicas that tell what happens", () => {
  it("deliver again, under the same key, what one of them had taken when it died", async () => {
    const reached: string[] = [];
    const dying = createTestChannel(ends, async ({ key }) => {
      reached.push(key);
      await new Promise<void>(() => {});
    });
    const first = await startReplica(dying);
    const secret = newSecret();
    await first.store.create(secret);
    await first.store.open(opening(secret));
    await dying.hears(1);
    first.die();

    const channel = createTestChannel(ends);
    const second = await startReplica(channel);
    await second.sweep();
    assert.deepEqual(channel.asked, []);
    await advanceRedis(admin, 21);
    await channel.hears(1);
    assert.deepEqual(keysOf(channel), reached);
    await until(async () => (await admin.xlen("ws:{notify}:queue:test")) === 0);
  });

  it("tell of every act after which a replica died before it could, once, though all of them look", async () => {
    const dying = await openSilently();
    const acts: readonly [SecretEvent["kind"], (id: ReturnType<typeof newSecret>) => Promise<unknown>][] = [
      ["opened", (secret) => dying.open(opening(secret))],
      ["deleted", ({ id }) => dying.delete(id)],
      ["refused-network", ({ id }) => dying.note(id, "refused-network", 0)],
    ];
    for (const [, act] of acts) {
      const secret = newSecret();
      await dying.create(secret);
      await act(secret);
    }
    const channel = createTestChannel(ends);
    const replicas = await Promise.all([1, 2, 3].map(() => startReplica(channel)));
    await advanceRedis(admin, 15);
    await Promise.all(replicas.map((replica) => replica.sweep()));
    await channel.hears(3);
    await Promise.all(replicas.map((replica) => replica.sweep()));
    await until(async () => (await admin.xlen("ws:{notify}:queue:test")) === 0);
    assert.deepEqual(kindsOf(channel).sort(), ["deleted", "opened", "refused"]);
  });

  it("tell of what ran out unopened, once, though all of them look at the same time", async () => {
    const channel = createTestChannel(ends);
    const replicas = await Promise.all([1, 2, 3].map(() => startReplica(channel)));
    const [first] = replicas;
    assert(first);
    const secrets = Array.from({ length: 20 }, () => newSecret());
    for (const secret of secrets) await first.store.create(secret);
    await advanceRedis(admin, 1_001);
    await Promise.all(replicas.map((replica) => replica.sweep()));
    await channel.hears(20);
    await until(async () => (await admin.xlen("ws:{notify}:queue:test")) === 0);
    assert.equal(new Set(keysOf(channel)).size, 20);
    assert.deepEqual([...new Set(kindsOf(channel))], ["expired"]);
    assert.equal(channel.asked.length, 20);
  });

  it("open a secret while the outbox does not answer, and tell of it when it does", async () => {
    const channel = createTestChannel(ends);
    const replica = await startReplica(channel, elsewhere.port);
    const secret = newSecret();
    await replica.store.create(secret);
    elsewhere.freeze();
    const opened = await replica.store.open(opening(secret));
    assert.equal(opened.kind, "handed-over");
    assert.deepEqual(channel.asked, []);
    elsewhere.thaw();
    await channel.hears(1);
    assert.deepEqual(kindsOf(channel), ["opened"]);
  });

  it("look again at an end that could not be queued, and forget the sender when it could", async () => {
    const dying = await openSilently();
    const secret = newSecret({ sender: '{"email":"ann@example.org"}' });
    await dying.create(secret);
    await dying.delete(secret.id);
    const channel = createTestChannel(ends);
    const replica = await startReplica(channel);
    await advanceRedis(admin, 15);
    const failing = async () => {
      throw new Error("It could not be queued.");
    };
    await assert.rejects(replica.store.collectExpired(failing), /could not be queued/);
    assert.match((await dying.read(secret.id))?.sender ?? "", /ann/);
    await advanceRedis(admin, 60);
    await replica.sweep();
    await channel.hears(1);
    assert.equal((await dying.read(secret.id))?.sender, undefined);
  });
});
