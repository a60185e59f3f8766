/**
 * Prints what a pending secret takes of Redis' memory, what it is reckoned at before it is let in, what
 * stays of it when it has been opened, and how far creates that all come at once exceed the budget.
 * Each "process" is a store of its own with its own connection and its own idea of what is left.
 *
 *   npm run bench:memory [-- creates]
 */
import type { Redis } from "ioredis";
import { storedCiphertext } from "../envelope/tokens.ts";
import { parseInfo } from "../store/redis-info.ts";
import { contentCost, DUE_COST, SHARE_COST } from "../store/redis-memory.ts";
import { type Store, StoreFullError, StoreUnavailableError } from "../store/store.ts";
import { bytes, newSecret, opening } from "../testing/new-secret.ts";
import { openRedisStore } from "../testing/open-redis-store.ts";
import { startRedis } from "../testing/redis-server.ts";

const CREATES = Number(process.argv[2] ?? 4_000);
const KIB = 1024;
const MIB = 1024 * KIB;
const ABREAST = 16;
/** A text of up to 1 KiB is padded to that, and sealed. */
const SMALL = 1_096;

const redis = await startRedis();
const admin = await redis.client();

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
const sized = (size: number) => newSecret({ blob: storedCiphertext(bytes(size)) });
const usedBy = async (client: Redis) =>
  Number(parseInfo(await client.info("memory")).get("used_memory") ?? Number.NaN);
const callsOf = async (command: string) =>
  Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(await admin.info("commandstats"))?.[1] ?? 0);

/** A few at a time, so that buffers of connections do not count. */
async function each<T>(items: readonly T[], act: (item: T) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < items.length; at += ABREAST)
    await Promise.all(items.slice(at, at + ABREAST).map(act));
}

async function measureSize(store: Store, size: number, count: number): Promise<void> {
  await admin.flushall();
  await each(
    Array.from({ length: 64 }, () => sized(size)),
    (secret) => store.create(secret),
  );
  const before = await usedBy(admin);
  const secrets = Array.from({ length: count }, () => sized(size));
  await each(secrets, (secret) => store.create(secret));
  const pending = ((await usedBy(admin)) - before) / count;
  await each(secrets, async (secret) => {
    const request = opening(secret);
    await store.open(request);
    await store.acknowledge(secret.id, request.claim);
  });
  const ended = ((await usedBy(admin)) - before) / count;
  const reckoned = contentCost(size) + SHARE_COST + DUE_COST;
  const columns = [size, count, pending, reckoned, ended].map((value) => value.toFixed(0).padStart(10));
  print(columns.join(""));
}

async function measureBurst(processes: number, size: number, room: number): Promise<void> {
  await admin.flushall();
  const base = await usedBy(admin);
  const budget = { kind: "size", bytes: base + room } as const;
  const stores: Store[] = [];
  for (let count = 0; count < processes; count++) stores.push(await openRedisStore(redis.port, { budget }));
  const looks = await callsOf("info");
  const wanted = Math.ceil((2 * room) / size);
  let kept = 0;
  let late = 0;
  const create = async (_: unknown, index: number) => {
    const store = stores[index % processes];
    try {
      await store?.create(sized(size));
      kept += 1;
    } catch (error) {
      if (error instanceof StoreUnavailableError) late += 1;
      else if (!(error instanceof StoreFullError)) throw error;
    }
  };
  await Promise.all(Array.from({ length: wanted }, create));
  const readings = (await callsOf("info")) - looks;
  const over = ((await usedBy(admin)) - base - room) / room;
  const bound = (processes - 1) / 8;
  print(
    [
      `${processes}`,
      `${size}`,
      `${wanted}`,
      `${kept}`,
      `${late}`,
      `${readings}`,
      percent(over),
      percent(bound),
    ]
      .map((value) => value.padStart(10))
      .join(""),
  );
  for (const store of stores) await store.close();
}
const percent = (share: number) => `${(share * 100).toFixed(1)}%`;

try {
  const store = await openRedisStore(redis.port);
  print("Bytes of Redis for each secret");
  print(
    "blob, secrets, pending, reckoned, opened"
      .split(", ")
      .map((name) => name.padStart(10))
      .join(""),
  );
  for (const [size, count] of [
    [SMALL, CREATES],
    [4 * KIB, CREATES / 2],
    [64 * KIB, CREATES / 40],
    [MIB, CREATES / 100],
  ] as const) {
    await measureSize(store, size, Math.ceil(count));
  }
  await store.close();
  print("");
  print("All at once, twice as much as there is room for: how far the use exceeds the budget, of that room");
  print(
    "processes, blob, creates, kept, late, readings, over, bound"
      .split(", ")
      .map((name) => name.padStart(10))
      .join(""),
  );
  for (const processes of [1, 2, 3, 8]) await measureBurst(processes, SMALL, 2 * MIB);
  for (const processes of [1, 3]) await measureBurst(processes, 64 * KIB, 16 * MIB);
} finally {
  await redis.stop();
}
