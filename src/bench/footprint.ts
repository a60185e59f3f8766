/**
 * Prints what the README's sizing table says: how long the server takes to be ready, and the memory of
 * server and Redis, idle and with many pending secrets. Linux only: it reads /proc.
 *
 *   npm run build && node --import tsx src/bench/footprint.ts [secrets] [starts]
 */
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { setTimeout } from "node:timers/promises";
import { startRedis } from "../testing/redis-server.ts";
import { sealSecret } from "../testing/sealed-secret.ts";
import { type ServerProcess, startServer } from "../testing/server-process.ts";
import { until } from "../testing/until.ts";

const SECRETS = Number(process.argv[2] ?? 10_000);
const STARTS = Number(process.argv[3] ?? 7);
const ABREAST = 16;
/** Characters: a private key or a page of notes. Every secret is padded to 1 KiB at least. */
const TEXT = "x".repeat(900);
const MIB = 2 ** 20;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** MiB that the system has given to the process. */
function residentMiB({ pid }: ServerProcess): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return (Number(line?.[1] ?? Number.NaN) * 1024) / MIB;
}

const agent = new Agent({ keepAlive: true, maxSockets: ABREAST });

function create(url: string, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { "Content-Type": "application/json", "Content-Length": body.length };
    const sent = request(`${url}/api/v1/secrets`, { method: "POST", agent, headers }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode ?? 0));
    });
    sent.on("error", reject).end(body);
  });
}

async function createMany(url: string): Promise<void> {
  let left = SECRETS;
  const work = async () => {
    while (left-- > 0) {
      const { body } = await sealSecret({ text: TEXT });
      const status = await create(url, JSON.stringify(body));
      if (status !== 201) throw new Error(`A create was answered with ${status}.`);
    }
  };
  await Promise.all(Array.from({ length: ABREAST }, work));
}

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
    await createMany(server.url);
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
  agent.destroy();
}
