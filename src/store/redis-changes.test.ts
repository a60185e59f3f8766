import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { parseRedisUrl } from "../config/redis-url.ts";
import { newSecret } from "../testing/new-secret.ts";
import { connectPatiently, makePatient, opened } from "../testing/open-redis-store.ts";
import { NO_FAILOVER, startCluster } from "../testing/redis-cluster.ts";
import { startRedis } from "../testing/redis-server.ts";
import { until } from "../testing/until.ts";
import type { Changes } from "./changes.ts";
import { connectRedisOrCluster } from "./connect-redis.ts";
import { changesContract } from "./contract-changes.ts";
import { createRedisChanges } from "./redis-changes.ts";
import { aclRules, CLUSTER_COMMANDS, COMMANDS } from "./redis-commands.ts";
import { changesChannel } from "./redis-keys.ts";

const PREFIX = "team-a:";
const USER = ["--user", "app", "on", ">pa55word"];
const ALLOWED = [...USER, ...aclRules(PREFIX, [...COMMANDS, ...CLUSTER_COMMANDS]).split(" ")];

const cleanUps: (() => unknown)[] = [];
after(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});
const kept = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
  const started = await starting;
  cleanUps.push(() => started.stop());
  return started;
};

/** As a replica makes them, each with a client of its own. */
async function replica(url: string, refused: string[] = []) {
  const connection = connectRedisOrCluster({ address: parseRedisUrl(url), keyPrefix: PREFIX });
  const client = await opened(makePatient(connection));
  const onRefused = ({ code }: { code: string }) => void refused.push(code);
  const changes = createRedisChanges({ client, keyPrefix: PREFIX, onRefused });
  const close = async () => {
    await changes.close();
    client.disconnect();
  };
  cleanUps.push(close);
  return { changes, client, close };
}

function contractAt(name: string, url: string): void {
  changesContract(`Changes on ${name}`, async () => {
    const first = await replica(url);
    const others: (typeof first)[] = [];
    return {
      changes: first.changes,
      async another() {
        const other = await replica(url);
        others.push(other);
        return other.changes;
      },
      async close() {
        for (const each of [first, ...others]) await each.close();
      },
    };
  });
}

/** Until word goes from each to each other, and back. */
async function connected(...all: Changes[]): Promise<void> {
  for (const from of all) {
    for (const to of all) {
      const { id } = newSecret();
      let heard = 0;
      const stop = to.watch(id, () => heard++);
      // The second time it was not the beginning of the subscription.
      await until(() => {
        from.publish(id);
        return heard > 2;
      });
      stop();
    }
  }
}

const redis = await kept(startRedis("--unixsocket", "redis.sock", ...ALLOWED));
const master = await kept(startRedis());
const sentinelFile = join(master.dir, "sentinel.conf");
writeFileSync(sentinelFile, `sentinel monitor wax 127.0.0.1 ${master.port} 1\n`);
const sentinel = await kept(startRedis(sentinelFile, "--sentinel"));
const cluster = await kept(startCluster({ args: ALLOWED, nodeTimeout: NO_FAILOVER }));

contractAt("Redis, under a prefix, for the documented user,", `redis://app:pa55word@127.0.0.1:${redis.port}`);
contractAt("Redis at a socket", `unix:${join(redis.dir, "redis.sock")}`);
contractAt("Redis behind Sentinels", `redis+sentinel://127.0.0.1:${sentinel.port}/wax`);
contractAt("a Cluster", `redis+cluster://app:pa55word@127.0.0.1:${cluster.ports[0]}`);

describe("Changes on Redis", () => {
  it("are heard by one connection, however many watch, which is made when the first one does", async () => {
    const server = await kept(startRedis());
    const admin = await server.client();
    const { changes, close } = await replica(server.url);
    const listeners = async () =>
      String(await admin.call("CLIENT", "LIST")).split("name=waxseal-changes").length - 1;
    const { id } = newSecret();
    changes.publish(id);
    assert.equal(await listeners(), 0);
    for (let i = 0; i < 50; i++) changes.watch(i % 2 ? id : newSecret().id, () => {});
    let heard = 0;
    changes.watch(id, () => heard++);
    // Not this process' own word, which goes round without a subscription too. Its beginning counts once.
    await until(async () => {
      await admin.publish(changesChannel(PREFIX), id);
      return heard > 1;
    });
    assert.equal(await listeners(), 1);
    await close();
    await until(async () => (await listeners()) === 0);
  });

  it("are heard again after Redis was away, and whoever watches is told to look", async () => {
    const server = await kept(startRedis());
    const [one, other] = [await replica(server.url), await replica(server.url)];
    await connected(one.changes, other.changes);
    let looks = 0;
    one.changes.watch(newSecret().id, () => looks++);
    await server.kill();
    for (let i = 0; i < 5_000; i++) one.changes.publish(newSecret().id);
    assert.equal(looks, 0);
    await server.restart();
    await until(() => looks > 0);
    await connected(one.changes, other.changes);
  });

  it("are heard again where the subscription was cut", async () => {
    const server = await kept(startRedis());
    const admin = await server.client();
    const [one, other] = [await replica(server.url), await replica(server.url)];
    await connected(one.changes, other.changes);
    await admin.call("CLIENT", "KILL", "TYPE", "pubsub");
    await connected(one.changes, other.changes);
  });

  it("are heard through another node when the one of a Cluster is gone", async () => {
    const nodes = await kept(startCluster({ replicas: 1 }));
    const url = `redis+cluster://${nodes.ports.map((port) => `127.0.0.1:${port}`).join(",")}`;
    const [one, other] = [await replica(url), await replica(url)];
    await connected(one.changes, other.changes);
    for (const node of nodes.nodes) {
      const clients = String(await (await node.client()).call("CLIENT", "LIST"));
      if (!clients.includes("name=waxseal-changes")) continue;
      await node.kill();
      break;
    }
    await connected(one.changes, other.changes);
  });

  it("take no memory of hints that a silent Redis does not take", async () => {
    const server = await kept(startRedis());
    const { changes, client } = await replica(server.url);
    await connected(changes);
    server.freeze();
    const asked = () => ("commandQueue" in client ? (client.commandQueue as { length: number }).length : 0);
    for (let i = 0; i < 20_000; i++) changes.publish(newSecret().id);
    assert.ok(asked() <= 1_001);
    server.thaw();
    await connected(changes);
  });

  it("notice a subscription that nothing comes through", async () => {
    const [old, current] = [await kept(startRedis()), await kept(startRedis())];
    const client = await connectPatiently(current.port);
    const changes = createRedisChanges({ client, probeEvery: 20 });
    cleanUps.push(async () => {
      await changes.close();
      client.disconnect();
    });
    // As where the one was replaced by the other, and goes on without knowing it.
    client.options.port = old.port;
    const { id } = newSecret();
    let heard = 0;
    changes.watch(id, () => heard++);
    await until(() => heard > 0);
    client.options.port = current.port;
    await until(() => heard > 1);
    await connected(changes);
  });

  it("stay in this process, and say so once, where the user may not use the channel", async () => {
    const withoutChannel = aclRules(PREFIX).replace(/ &\S+/, "").split(" ");
    const server = await kept(startRedis(...USER, ...withoutChannel));
    const refused: string[] = [];
    const { changes } = await replica(`redis://app:pa55word@127.0.0.1:${server.port}`, refused);
    const { id } = newSecret();
    let heard = 0;
    changes.watch(id, () => heard++);
    await until(() => {
      changes.publish(id);
      return heard > 3 && refused.length > 0;
    });
    assert.deepEqual(refused, ["NOPERM"]);
  });
});
