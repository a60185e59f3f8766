import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../testing/free-port.ts";
import { type ServerProcess, startServer } from "../../testing/server-process.ts";
import { until } from "../../testing/until.ts";
import { type ComposeRedis, startComposeRedis } from "./compose-redis.ts";

export const MODES = ["embedded", "memory-only", "durable", "replica"] as const;
export type Mode = (typeof MODES)[number];

/** A running Waxseal with its Redis servers, set up as one of our ways to deploy it. */
export interface Deployment {
  readonly mode: Mode;
  readonly server: ServerProcess;
  readonly redis: readonly ComposeRedis[];
  /** Those that must never hold what could be read, and forget each share when it was handed over. */
  readonly shareHolders: readonly ComposeRedis[];
  /** Makes a durable Redis write everything it has, in each of its formats. */
  writeToDisk(): Promise<void>;
  stop(): Promise<void>;
}

const GENEROUS = {
  RATE_LIMIT_CREATE: "100000/1m",
  RATE_LIMIT_OPEN: "100000/1m",
  RATE_LIMIT_MISS: "100000/1m",
  LOG_LEVEL: "trace",
};

/** Master and replica have one port at two addresses, as two containers have. */
async function startPair(conf: string): Promise<ComposeRedis[]> {
  const port = await freePort();
  const third = 1 + Math.floor(Math.random() * 250);
  const [first = "", second = ""] = [1, 2].map((last) => `127.78.${third}.${last}`);
  const shared = await mkdtemp(join(tmpdir(), "waxseal-forensics-shared-"));
  const names = { SENTINEL_NODES: `${first} ${second}`, SENTINELS: "127.78.0.255" };
  try {
    const common = { port, shared, conf };
    const master = await startComposeRedis({
      ...common,
      name: "redis",
      host: first,
      env: { ...names, ANNOUNCE: first },
    });
    const replica = await startComposeRedis({
      ...common,
      name: "replica",
      host: second,
      role: "redis",
      env: { ...names, ANNOUNCE: second },
    }).catch(async (error: unknown) => {
      await master.stop();
      throw error;
    });
    // Not before it has confirmed something is a replica counted by WAIT.
    await until(async () => {
      await master.admin.set("ws:probe", "", "PX", 1000);
      return (await master.admin.wait(1, 500)) === 1;
    });
    return [master, replica];
  } finally {
    await rm(shared, { recursive: true, force: true });
  }
}

async function writeAll({ admin }: ComposeRedis): Promise<void> {
  await admin.bgrewriteaof();
  await until(async () => /aof_rewrite_in_progress:0/.test(await admin.info("persistence")));
  await admin.bgsave();
  await until(async () => /rdb_bgsave_in_progress:0/.test(await admin.info("persistence")));
}

async function startRedisFor(
  mode: Mode,
  conf: string,
): Promise<{ redis: ComposeRedis[]; env: Record<string, string> }> {
  switch (mode) {
    case "embedded":
      return { redis: [], env: {} };
    case "memory-only": {
      const redis = await startComposeRedis({ name: "redis", conf });
      return { redis: [redis], env: { REDIS_URL: redis.url } };
    }
    case "durable": {
      const records = await startComposeRedis({ name: "redis", conf, env: { REDIS_DURABLE: "yes" } });
      const keyring = await startComposeRedis({ name: "keyring", conf }).catch(async (error: unknown) => {
        await records.stop();
        throw error;
      });
      return { redis: [records, keyring], env: { REDIS_URL: records.url, KEYRING_REDIS_URL: keyring.url } };
    }
    case "replica": {
      const [master, replica] = await startPair(conf);
      if (!master || !replica) throw new Error("A pair is two.");
      return { redis: [master, replica], env: { REDIS_URL: master.url, REDIS_WAIT_REPLICAS: "1" } };
    }
  }
}

export interface DeploymentOptions {
  /** Seconds. */
  readonly window: number;
  /** Added to every redis.conf, to try what another setting would do. */
  readonly conf?: string;
}

export async function deploy(mode: Mode, { window, conf = "" }: DeploymentOptions): Promise<Deployment> {
  const { redis, env } = await startRedisFor(mode, conf);
  const end = async () => {
    for (const it of redis) await it.stop();
  };
  const common = { ...GENEROUS, REDELIVERY_WINDOW: `${window}s` };
  const server = await startServer({ ...common, ...env }).catch(async (error: unknown) => {
    await end();
    throw error;
  });
  return {
    mode,
    server,
    redis,
    shareHolders: mode === "durable" ? redis.slice(1) : redis,
    async writeToDisk() {
      const records = redis[0];
      if (mode === "durable" && records) await writeAll(records);
    },
    async stop() {
      await server.stop();
      await end();
    },
  };
}
