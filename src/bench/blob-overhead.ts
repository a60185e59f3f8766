/**
 * Prints what large secrets cost Redis: its bytes per byte of a secret, for blocks of several sizes,
 * and for how long the acts on a large secret keep everybody else waiting, by Redis' own measure: as Redis
 * comes, and with freed memory overwritten, as the appliance runs it.
 *
 *   node --import tsx src/bench/blob-overhead.ts [MiB for overhead] [MiB for the acts]
 */
import { setTimeout } from "node:timers/promises";
import type { Redis } from "ioredis";
import { BLOB_BLOCK, type Store, UPLOAD_LIMITS } from "../store/store.ts";
import { newUpload, opening, openingOnce, uploadWhole } from "../testing/new-secret.ts";
import { openRedisStore } from "../testing/open-redis-store.ts";
import { startRedis } from "../testing/redis-server.ts";

const MIB = 2 ** 20;
const OVERHEAD = Number(process.argv[2] ?? 100) * MIB;
const LARGEST = Number(process.argv[3] ?? 1024) * MIB;

const LIMITS = {
  retention: 1_000,
  passphraseTries: 3,
  redeliveryWindow: 30,
  maxTtl: 5_000,
  uploads: { ...UPLOAD_LIMITS, maxBytes: 2 ** 32 },
};

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function memory(admin: Redis, name: string): Promise<number> {
  return Number(new RegExp(`^${name}:(\\d+)`, "m").exec(await admin.info("memory"))?.[1]);
}

/** A plain SET of so many bytes at a time, to compare sizes of blocks. */
async function plainOverhead(admin: Redis, block: number): Promise<number> {
  await admin.flushall();
  const before = await memory(admin, "used_memory");
  const bytes = Buffer.alloc(block, 7);
  const count = Math.floor(OVERHEAD / block);
  for (let index = 0; index < count; index++) await admin.set(`block:${index}`, bytes, "PX", 1e6);
  const used = (await memory(admin, "used_memory")) - before;
  await admin.flushall();
  return used / (count * block);
}

/** Redis takes idle connections' buffers back after two seconds; they are not the secret's. */
async function settledMemory(admin: Redis): Promise<number> {
  await setTimeout(4_000);
  return memory(admin, "used_memory");
}

async function storeOverhead(admin: Redis, store: Store, size: number): Promise<string> {
  await admin.flushall();
  const before = await settledMemory(admin);
  const { secret, blob } = newUpload(size);
  await uploadWhole(store, secret, blob);
  const used = (await settledMemory(admin)) - before;
  await store.delete(secret.id);
  await admin.flushall();
  return (used / size).toFixed(4);
}

/** Sends the same block over and over: what counts here is how much there is. */
async function fill(store: Store, size: number) {
  const { secret } = newUpload(0, { size });
  await store.create(secret);
  const block = new Uint8Array(BLOB_BLOCK).fill(9);
  for (let at = 0; at < size; at += BLOB_BLOCK) {
    await store.writeBlob(secret.id, at, block.subarray(0, Math.min(BLOB_BLOCK, size - at)));
  }
  return secret;
}

/** What one act costs: the longest time in which Redis served nobody else, in its own measure. */
async function timed(admin: Redis, name: string, act: () => Promise<unknown>): Promise<void> {
  await admin.slowlog("RESET");
  await act();
  const calls = (await admin.slowlog("GET", 128)) as [number, number, number, string[]][];
  const longest = Math.max(0, ...calls.map(([, , microseconds]) => microseconds));
  print(`  ${name.padEnd(34)} ${(longest / 1000).toFixed(1)} ms`);
}

async function measureActs(title: string, malloc: string | undefined): Promise<void> {
  if (malloc === undefined) delete process.env.MALLOC_CONF;
  else process.env.MALLOC_CONF = malloc;
  const redis = await startRedis("--slowlog-log-slower-than", "0", "--slowlog-max-len", "200");
  const admin = await redis.client();
  const store = await openRedisStore(redis.port, { limits: LIMITS });
  try {
    print(`${title}: the longest time in which Redis served nobody else, ${LARGEST / MIB} MiB`);
    const block = new Uint8Array(BLOB_BLOCK);
    const { secret: small } = newUpload(0, { size: 2 * BLOB_BLOCK });
    await store.create(small);
    await timed(admin, "write a block", () => store.writeBlob(small.id, 0, block));
    await timed(admin, "write across two blocks", () =>
      store.writeBlob(small.id, BLOB_BLOCK - 9, block.subarray(0, 18)),
    );
    const first = await fill(store, LARGEST);
    await timed(admin, "seal", () => store.sealUpload(first.id));
    await timed(admin, "read the record", () => store.read(first.id));
    await timed(admin, "read two blocks", () => store.readBlob(first.id, 0, 2 * BLOB_BLOCK));
    const request = opening(first);
    await timed(admin, "open", () => store.open(request));
    await timed(admin, "acknowledge", () => store.acknowledge(first.id, request.claim));
    const second = await fill(store, LARGEST);
    await timed(admin, "delete", () => store.delete(second.id));
    const third = await fill(store, LARGEST);
    await store.sealUpload(third.id);
    await timed(admin, "open without a claim", () => store.open(openingOnce(third)));
  } finally {
    await store.close();
    await redis.stop();
  }
}

const redis = await startRedis();
try {
  const admin = await redis.client();
  print(`Redis bytes per byte, ${OVERHEAD / MIB} MiB in plain keys of one size:`);
  for (const block of [65_536, 65_536 - 64, 262_144, 262_144 - 64, 524_288, 524_288 - 64, 1_048_576 - 64]) {
    print(`  ${String(block).padStart(9)} bytes  ${(await plainOverhead(admin, block)).toFixed(4)}`);
  }
  const store = await openRedisStore(redis.port, { limits: LIMITS });
  print(`As the store keeps them (blocks of ${BLOB_BLOCK}):`);
  await storeOverhead(admin, store, MIB); // Scripts and tables, which are made once.
  for (const size of [OVERHEAD / 10, OVERHEAD]) {
    print(`  ${String(size).padStart(9)} bytes  ${await storeOverhead(admin, store, size)}`);
  }
  print(`  the most that Redis used: ${((await memory(admin, "used_memory_peak")) / MIB).toFixed(0)} MiB`);
  await store.close();
} finally {
  await redis.stop();
}
await measureActs("As Redis comes", undefined);
await measureActs("With freed memory overwritten", "junk:free");
