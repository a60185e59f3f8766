/**
 * Prints what a large secret costs a server that keeps it in Redis: its resident memory before, while
 * it goes in and while it goes out, and how fast. Linux only: it reads /proc.
 *
 *   npm run bench:large [-- MiB]
 */
import { setTimeout } from "node:timers/promises";
import { generatedFile, receiveLarge, sendLarge } from "../testing/large-secret.ts";
import { startRedis } from "../testing/redis-server.ts";
import { residentBytes } from "../testing/resident.ts";
import { startServer } from "../testing/server-process.ts";

const MIB = 2 ** 20;
const size = Number(process.argv[2] ?? 1024) * MIB;
/** Milliseconds between two looks at the memory. */
const EVERY = 50;

const inMib = (bytes: number) => `${(bytes / MIB).toFixed(1)} MiB`;

/** Runs `act` and tells the most memory that the process had meanwhile. */
async function watching<T>(pid: number, act: () => Promise<T>) {
  let peak = residentBytes(pid);
  let running = true;
  const watch = (async () => {
    while (running) {
      peak = Math.max(peak, residentBytes(pid));
      await setTimeout(EVERY);
    }
  })();
  const started = performance.now();
  try {
    const result = await act();
    return { result, peak, seconds: (performance.now() - started) / 1000 };
  } finally {
    running = false;
    await watch;
  }
}

const redis = await startRedis();
const server = await startServer({
  REDIS_URL: redis.url,
  MAX_SECRET_BYTES: "2GiB",
  UPLOADS_MAX_BYTES: "4GiB",
  REDELIVERY_WINDOW: "10m",
});
try {
  const { pid } = server;
  if (pid === undefined) throw new Error("The server has no process.");
  const admin = await redis.client();
  const used = async () => Number(/^used_memory:(\d+)/m.exec(await admin.info("memory"))?.[1]);

  // Once, so that what is needed for any secret at all is there already.
  const { linkFragment } = await sendLarge(server.url, [generatedFile("warm-up", 8 * MIB).part]);
  await receiveLarge(server.url, linkFragment);
  await setTimeout(2000);
  const before = residentBytes(pid);
  const usedBefore = await used();

  const file = generatedFile("large", size);
  const sent = await watching(pid, () => sendLarge(server.url, [file.part]));
  const usedSent = await used();
  const received = await watching(pid, () => receiveLarge(server.url, sent.result.linkFragment));
  const whole = received.result[0]?.sha256 === file.sha256();
  await setTimeout(2000);

  const print = (line: string) => process.stdout.write(`${line}\n`);
  const transfer = (name: string, { peak, seconds }: { peak: number; seconds: number }) =>
    print(
      `${name.padEnd(10)} ${seconds.toFixed(1).padStart(6)} s ${(size / 1e6 / seconds).toFixed(0).padStart(5)} MB/s   ` +
        `server at most ${inMib(peak)}, ${inMib(peak - before)} more than before`,
    );
  print(`A secret of ${inMib(size)}; sealing, sending and unsealing share the machine with the server.`);
  print(`server before        ${inMib(before)}`);
  transfer("sent", sent);
  transfer("received", received);
  print(`server two seconds later  ${inMib(residentBytes(pid))}`);
  print(
    `Redis    ${inMib(usedSent - usedBefore)} for a blob of ${inMib(sent.result.size)}: ` +
      `${((usedSent - usedBefore) / sent.result.size).toFixed(4)} bytes per byte of the blob, ` +
      `${((usedSent - usedBefore) / size).toFixed(4)} per byte of the secret; ` +
      `${inMib((await used()) - usedBefore)} left once it was opened`,
  );
  print(whole ? "It came out as it went in." : "IT DID NOT COME OUT AS IT WENT IN.");
  process.exitCode = whole ? 0 : 1;
} finally {
  await server.stop();
  await redis.stop();
}
