/**
 * Prints what the README's sizing table says: how long the server takes to be ready, and the memory of
 * server and Redis, idle and with many pending secrets. Linux only: it reads /proc.
 *
 *   npm run build && node --import tsx src/bench/footprint.ts [secrets] [starts]
 */
import { setTimeout } from "node:timers/promises";
import { startRedis } from "../testing/redis-server.ts";
import { residentBytes } from "../testing/resident.ts";
import { type ServerProcess, startServer } from "../testing/server-process.ts";
import { until } from "../testing/until.ts";
import { createPending, median } from "./pending.ts";

const SECRETS = Number(process.argv[2] ?? 10_000);
const STARTS = Number(process.argv[3] ?? 7);
const MIB = 2 ** 20;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

const residentMiB = ({ pid }: ServerProcess) => residentBytes(pid) / MIB;

/** Milliseconds for what was only needed once to be let go; nothing is asked of the server meanwhile. */
const SETTLE = 5000;

async function measure(
  name: string,
  env: Readonly<Record<string, string>>,
  redisMemory?: () => Promise<string>,
) {
  const times: number[] = [];
  for (let start = 0; start < STARTS; start++) {
    const before = performance.now();
    const server = await startServer(env);
    await until(async () => (await fetch(`${server.url}/readyz`)).status === 200);
    times.push(performance.now() - before);
    await server.stop();
  }
  const server = await startServer({ ...env, RATE_LIMIT_CREATE: "1000000/1m", LOG_LEVEL: "info" });
  try {
    await setTimeout(SETTLE);
    const [idle, redisIdle] = [residentMiB(server), await redisMemory?.()];
    await createPending(server.url, SECRETS);
    await setTimeout(SETTLE);
    print(`${name}: ready after ${median(times).toFixed(0)} ms (median of ${STARTS} starts)`);
    print(
      `  server idle ${idle.toFixed(0)} MiB, with ${SECRETS} pending secrets ${residentMiB(server).toFixed(0)} MiB`,
    );
    if (redisMemory)
      print(`  Redis idle ${redisIdle}, with ${SECRETS} pending secrets ${await redisMemory()}`);
  } finally {
    await server.stop();
  }
}

await measure("Embedded store", {});
const redis = await startRedis();
try {
  const admin = await redis.client();
  await measure("With Redis", { REDIS_URL: redis.url }, async () => {
    const info = await admin.info("memory");
    const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1]) / MIB;
    return `${field("used_memory").toFixed(1)} MiB (${field("used_memory_rss").toFixed(1)} MiB of the system's)`;
  });
} finally {
  await redis.stop();
}
