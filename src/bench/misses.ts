/**
 * Whether the time of a 404 tells an unknown id from a wrong proof. Asks one after the other, in
 * random order, and prints how long each kind took, on both stores.
 *
 *   node --import tsx src/bench/misses.ts [how many of each]
 */
import { Agent, request } from "node:http";
import type { Store } from "../store/store.ts";
import { openRedisStore } from "../testing/open-redis-store.ts";
import { startRedis } from "../testing/redis-server.ts";
import { sealSecret } from "../testing/sealed-secret.ts";
import { createTestApp } from "../testing/test-app.ts";

const COUNT = Number(process.argv[2] ?? 2_000);
const WARM_UP = 200;

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

function timeOf(url: string, bearer: string): Promise<number> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${bearer}` };
    const sent = request(url, { agent, headers }, (response) => {
      response.resume().on("end", () => resolve(performance.now() - started));
    });
    sent.on("error", reject).end();
  });
}

function describe(times: number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const quantile = (part: number) => (sorted[Math.floor(sorted.length * part)] ?? Number.NaN).toFixed(3);
  return `p25 ${quantile(0.25)} ms, p50 ${quantile(0.5)} ms, p75 ${quantile(0.75)} ms`;
}

async function compare(name: string, store?: Store): Promise<void> {
  const env = { LOG_LEVEL: "silent", RATE_LIMIT_MISS: "1000000/1m" };
  const app = createTestApp(store ? { env, store } : { env });
  const secret = await sealSecret();
  const stranger = await sealSecret();
  await app.create(secret);
  const id = Buffer.from(secret.body.id, "base64url");
  const proof = Buffer.from(stranger.link.slice(4), "base64url").subarray(16);
  const kinds = [
    { name: "unknown id", bearer: stranger.link, times: [] as number[] },
    {
      name: "wrong proof",
      bearer: `wsl_${Buffer.concat([id, proof]).toString("base64url")}`,
      times: [] as number[],
    },
  ];
  await app.listening(async (url) => {
    for (let i = 0; i < WARM_UP + COUNT; i++) {
      for (const kind of Math.random() < 0.5 ? kinds : kinds.toReversed()) {
        const time = await timeOf(`${url}/api/v1/secret`, kind.bearer);
        if (i >= WARM_UP) kind.times.push(time);
      }
    }
  });
  for (const { name: kind, times } of kinds) process.stdout.write(`${name}, ${kind}: ${describe(times)}\n`);
}

await compare("embedded");
const redis = await startRedis();
const store = await openRedisStore(redis.port);
await compare("Redis", store);
await store.close();
await redis.stop();
agent.destroy();
