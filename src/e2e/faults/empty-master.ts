import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { newClaim } from "../../testing/sealed-secret.ts";
import { chartFolder, type Manifest } from "../kubernetes/helm.ts";
import { kill, prepareRedisNodes, type RedisNode } from "../kubernetes/redis-node.ts";
import type { Algorithm } from "./algorithms.ts";
import { eventually } from "./eventually.ts";
import { divide, each, type Fault, type Stage } from "./fault.ts";
import { onTrio } from "./on-trio.ts";
import { replaceable } from "./replaceable.ts";

const scripts = join(chartFolder, "files/redis");

/** What the chart's scripts are mounted with; of its redis.conf, what matters here. */
function mounted(): Manifest[] {
  const files = readdirSync(scripts).map(
    (name) => [name, readFileSync(join(scripts, name), "utf8")] as const,
  );
  const conf = [
    "bind * -::*",
    "port 6379",
    "protected-mode no",
    "dir /run/redis",
    'save ""',
    "appendonly no",
    "repl-diskless-sync yes",
    "repl-diskless-sync-delay 0",
    "repl-diskless-load swapdb",
    "maxmemory 64mb",
    "maxmemory-policy noeviction",
  ];
  const password = () => randomBytes(20).toString("hex");
  const own = password();
  const url = `redis+sentinel://waxseal:${own}@host/waxseal?sentinel_username=waxseal&sentinel_password=${own}`;
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const object = (kind: string, data: Record<string, string>): Manifest => ({
    ...{ apiVersion: "v1", kind, metadata: { name: "waxseal-redis" } },
    data,
  });
  return [
    object("ConfigMap", { ...Object.fromEntries(files), "redis.conf": `${conf.join("\n")}\n` }),
    object("Secret", {
      "redis-password": base64(own),
      "replication-password": base64(password()),
      "sentinel-password": base64(password()),
      "redis-url": base64(url),
    }),
  ];
}

async function startPods() {
  const redis = await prepareRedisNodes(mounted(), 3);
  const running = new Map(redis.nodes.map((node) => [node, node.startRedis()]));
  for (const node of redis.nodes) node.startSentinel();

  async function master(): Promise<RedisNode> {
    const roles = await each(redis.nodes, (node) => node.ask("INFO", "replication"));
    const leading = redis.nodes.filter((_, index) => /role:master/.test(roles[index] ?? ""));
    const [one] = leading;
    if (!one || leading.length > 1) throw new Error(`${leading.length} masters`);
    return one;
  }
  const pods = {
    url: redis.url,
    /** Sentinels may promote a second one just after the first, so there may be two for a moment. */
    async whole(): Promise<RedisNode> {
      let leader: RedisNode | undefined;
      await eventually(
        "one pod leads and two have caught up",
        async () => {
          leader = await master();
          return /connected_slaves:2/.test(await leader.ask("INFO", "replication")) && (await allReady());
        },
        // Sentinel gives a failover up and begins another a while later, more than once where all is slow.
        110,
      ).catch((error: Error) => {
        const said = redis.nodes.map((node) => `${node.address}:\n${node.output().slice(-4_000)}`);
        throw new Error([error.message, ...said].join("\n"));
      });
      return leader ?? master();
    },
    async restart(node: RedisNode) {
      const child = running.get(node);
      if (child) await kill(child);
      running.set(node, node.startRedis());
    },
    stop: redis.stop,
  };
  const allReady = async () =>
    (await each(redis.nodes, (node) => node.script("ready.sh"))).every(({ code }) => code === 0);
  await pods.whole();
  await eventually("the Sentinels know each other", () =>
    redis.nodes.every((node) => /\+sentinel sentinel/.test(node.output())),
  );
  return pods;
}

/**
 * A memory-only master crashes and is started again at once, before anybody has noticed: what it then
 * is, its replicas copy. Most of the secrets were asked for just before.
 */
async function setUp(algorithm: Algorithm): Promise<Stage> {
  const pods = await startPods();
  const app = await replaceable(() => algorithm.start(pods.url, 2));
  return {
    app: app.url,
    async episode(client, secrets) {
      const [opened, kept] = divide(secrets);
      await each(secrets, (secret) => client.createSurely(secret, app.url));
      const claims = opened.map(() => newClaim());
      const first = await pods.whole();
      const asked = await each(opened, (secret, index) => client.open(secret, claims[index] ?? "", app.url));
      await pods.restart(first);
      const known = each(opened, (secret, index) =>
        Promise.all([
          client.openUntilKnown(secret, claims[index] ?? "", app.url, asked[index]),
          client.openUntilKnown(secret, newClaim(), app.url),
        ]),
      );
      await pods.whole();
      await Promise.all([known, each(kept, (secret) => client.openUntilKnown(secret, newClaim(), app.url))]);
    },
    async close() {
      await app.stop();
      await pods.stop();
    },
  };
}

/** With the chart's start script: whoever comes back empty stays silent until another one leads. */
export const emptyMaster: Fault = {
  name: "master restarted empty before its replicas, by the chart's start script",
  mustFail: {},
  episodes: { full: 2, short: 1 },
  setUp,
};

/** Without such a wait nothing can help: there is no memory left. It shows what the script is for. */
export const emptyMasterAtOnce: Fault = {
  name: "master restarted empty before its replicas, with nothing that prevents it",
  mustFail: { ours: ["lost"], "claim without WAIT": ["lost"], "plain GETDEL": ["lost"] },
  episodes: { full: 1, short: 1 },
  setUp: (algorithm) =>
    onTrio(algorithm, async ({ trio, app }, client, secrets) => {
      await each(secrets, (secret) => client.createSurely(secret, app));
      const { redis } = trio.master();
      await redis.kill();
      await redis.restart();
      await trio.heal();
    }),
};
