/** A master, two replicas and three Sentinels that watch them, as an operator would set them up. */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { memoryFolder } from "../../testing/memory-folder.ts";
import { startRedis, type TestRedis } from "../../testing/redis-server.ts";
import { eventually } from "./eventually.ts";

const NAME = "waxseal";

interface Node {
  readonly redis: TestRedis;
  readonly admin: Redis;
}

export interface SentinelTrio {
  /** For REDIS_URL. */
  readonly url: string;
  /** Whom the Sentinels name, all of them. */
  master(): Promise<Node>;
  /** Resolves when the Sentinels name another one than this. */
  replaced(old: Node): Promise<void>;
  /** Resolves when the Sentinels have made replicas of the others and these have caught up. */
  whole(): Promise<void>;
  close(): Promise<void>;
}

async function startNode(...extra: string[]): Promise<Node> {
  const redis = await startRedis(...extra);
  return { redis, admin: await redis.client({ maxRetriesPerRequest: null, retryStrategy: () => 50 }) };
}

async function startSentinel(folder: string, number: number, masterPort: number): Promise<Node> {
  const file = join(folder, `sentinel-${number}.conf`);
  const lines = [
    `sentinel monitor ${NAME} 127.0.0.1 ${masterPort} 2`,
    `sentinel down-after-milliseconds ${NAME} 1000`,
    // Also how soon one failover may follow another: twice this.
    `sentinel failover-timeout ${NAME} 2000`,
    `sentinel parallel-syncs ${NAME} 2`,
  ];
  await writeFile(file, `${lines.join("\n")}\n`);
  const redis = await startRedis(file, "--sentinel");
  return { redis, admin: await redis.client() };
}

export async function startSentinelTrio(): Promise<SentinelTrio> {
  const folder = memoryFolder("sentinels");
  const first = await startNode();
  const follow = ["--replicaof", "127.0.0.1", String(first.redis.port)];
  const nodes = [first, ...(await Promise.all([startNode(...follow), startNode(...follow)]))];
  const numbers = [1, 2, 3];
  const sentinels = await Promise.all(
    numbers.map((number) => startSentinel(folder, number, first.redis.port)),
  );

  async function named(): Promise<number[]> {
    const answers = await Promise.all(
      sentinels.map(({ admin }) => admin.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)),
    );
    return answers.map((answer) => Number(Array.isArray(answer) ? answer[1] : Number.NaN));
  }
  async function master(): Promise<Node> {
    const ports = await named();
    const node = nodes.find(({ redis }) => ports.every((port) => port === redis.port));
    if (!node) throw new Error(`The Sentinels don't agree: ${ports.join(", ")}`);
    return node;
  }
  async function isWhole(): Promise<boolean> {
    const { admin } = await master();
    for (const sentinel of sentinels) {
      const known = await sentinel.admin.info("sentinel");
      if (!/status=ok,address=[^,]*,slaves=2,sentinels=3/.test(known)) return false;
    }
    await admin.set("whole", "yes");
    return (await admin.wait(2, 100)) === 2;
  }

  const trio: SentinelTrio = {
    url: `redis+sentinel://${sentinels.map(({ redis }) => `127.0.0.1:${redis.port}`).join(",")}/${NAME}`,
    master,
    replaced: (old) =>
      eventually(
        "the Sentinels name another master",
        async () => {
          const current = await master();
          return current !== old && /role:master/.test(await current.admin.info("replication"));
        },
        100,
      ),
    whole: () => eventually("the Sentinels have a master with two replicas", isWhole, 45),
    async close() {
      await Promise.all([...sentinels, ...nodes].map(({ redis }) => redis.stop()));
      await rm(folder, { recursive: true, force: true });
    },
  };
  await trio.whole();
  return trio;
}
