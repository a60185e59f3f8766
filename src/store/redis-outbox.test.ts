import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { advanceRedis } from "../testing/advance-redis.ts";
import { connectPatiently } from "../testing/open-redis-store.ts";
import { startRedis } from "../testing/redis-server.ts";
import { outboxContract } from "./contract-outbox.ts";
import { DEAD_KEY, queueKey, seenKey } from "./redis-keys.ts";
import { createRedisOutbox } from "./redis-outbox.ts";
import { StoreFullError, StoreUnavailableError } from "./store.ts";

const server = await startRedis();
after(() => server.stop());
const admin = await server.client();

outboxContract("An outbox in Redis", async (limits) => {
  await admin.flushall();
  const clients = await Promise.all([connectPatiently(server.port), connectPatiently(server.port)]);
  const [outbox, other] = clients.map((client) => createRedisOutbox({ client, limits }));
  assert(outbox && other);
  return {
    outbox,
    another: async () => other,
    advance: (seconds) => advanceRedis(admin, seconds),
    async close() {
      for (const client of clients) client.disconnect();
    },
  };
});

describe("An outbox in Redis", () => {
  const one = { key: "msg_one", to: "one", body: "{}" };

  it("is refused by a Redis that is full, keeps nothing of it, and settles what it has all the same", async (t) => {
    await admin.flushall();
    const client = await connectPatiently(server.port);
    t.after(() => client.disconnect());
    const outbox = createRedisOutbox({ client });
    for (const key of ["a", "b", "c", "d"]) await outbox.add([{ ...one, key }]);
    const [done, later, buried, soon] = await outbox.take("one", 4);
    assert(done && later && buried && soon);
    await outbox.later(soon, 1, 2);
    await admin.config("SET", "maxmemory", "1");
    await assert.rejects(outbox.add([one]), StoreFullError);
    assert.equal(await admin.exists(seenKey(one.key)), 0);
    await outbox.done(done);
    await outbox.later(later, 60_000, 2);
    await outbox.bury(buried, "refused");
    await advanceRedis(admin, 1);
    assert.equal((await outbox.take("one", 1))[0]?.attempt, 2);
    await admin.config("SET", "maxmemory", "0");
    assert.equal((await outbox.add([one])).added, 1);
    assert.deepEqual(await outbox.stats("one"), { queued: 2, delayed: 1, dead: 1 });
  });

  it("goes on with a Redis that has forgotten everything", async (t) => {
    const client = await connectPatiently(server.port);
    t.after(() => client.disconnect());
    const outbox = createRedisOutbox({ client });
    await outbox.add([one, { ...one, key: "two" }]);
    const [taken] = await outbox.take("one", 1);
    assert(taken);
    await admin.flushall();
    await outbox.done(taken);
    assert.deepEqual(await outbox.take("one", 5), []);
    assert.equal((await outbox.add([one])).added, 1);
    assert.equal((await outbox.take("one", 5)).length, 1);
  });

  it("lets a dead letter go when its time is over, though there are younger ones", async (t) => {
    await admin.flushall();
    const client = await connectPatiently(server.port);
    t.after(() => client.disconnect());
    const outbox = createRedisOutbox({ client });
    const daysAgo = (days: number) => `${Date.now() - days * 86_400_000}-0`;
    for (const days of [8, 6]) await admin.xadd(DEAD_KEY, daysAgo(days), "d", "old", "reason", "refused");
    await outbox.add([one]);
    const [taken] = await outbox.take("one", 1);
    assert(taken);
    await outbox.bury(taken, "refused");
    assert.equal((await outbox.stats("one")).dead, 2);
  });

  it("gives what lies beside something that no version queued, and lets that be buried too", async (t) => {
    await admin.flushall();
    const client = await connectPatiently(server.port);
    t.after(() => client.disconnect());
    const outbox = createRedisOutbox({ client });
    await outbox.add([one]);
    for (const odd of ["{", "[]"]) await admin.xadd(queueKey("one"), "*", "d", odd);
    const [ours, ...odd] = await outbox.take("one", 4);
    assert.equal(ours?.key, one.key);
    assert.deepEqual(
      odd.map(({ to, body }) => [to, body]),
      [
        ["one", "{"],
        ["one", "[]"],
      ],
    );
    for (const item of odd) await outbox.bury(item, "unreadable");
    assert.deepEqual(await outbox.stats("one"), { queued: 1, delayed: 0, dead: 2 });
  });

  it("lets a queue go to which nobody adds and from which nobody takes", async (t) => {
    const client = await connectPatiently(server.port);
    t.after(() => client.disconnect());
    await createRedisOutbox({ client }).add([{ ...one, to: "gone", key: "gone" }]);
    const left = await admin.pttl(queueKey("gone"));
    assert(left > 6 * 86_400_000 && left <= 7 * 86_400_000, `${left}`);
  });

  it("fails at once, and as a store does, where Redis is away", async (t) => {
    const client = await connectPatiently(server.port);
    t.after(() => client.disconnect());
    const outbox = createRedisOutbox({ client });
    client.disconnect();
    await assert.rejects(outbox.add([one]), StoreUnavailableError);
    await assert.rejects(outbox.take("one", 1), StoreUnavailableError);
    await assert.rejects(outbox.stats("one"), StoreUnavailableError);
  });
});
