/**
 * Many openers on each of many secrets, all with the right proofs and each with a claim of its own:
 * every secret must have one winner. And the same with get-then-delete, which must fail, or else the
 * openers were not really at it at the same time.
 *
 *     node --import tsx src/bench/openers.ts [--secrets 1000] [--openers 1000] [--workers 2]
 *         [--connections 4] [--in-flight 500] [--control 100]
 *
 * Prints figures; ends with 1 where a store has not exactly one winner per secret.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createClaim } from "../envelope/tokens.ts";
import { createMemoryStore } from "../store/memory.ts";
import type { NewSecret, Store } from "../store/store.ts";
import { newSecret } from "../testing/new-secret.ts";
import { openRedisStore, TEST_LIMITS } from "../testing/open-redis-store.ts";
import { startRedis } from "../testing/redis-server.ts";
import type { Order, Report } from "./opener-worker.ts";

function readNumbers() {
  const defaults = {
    secrets: 1000,
    openers: 1000,
    workers: 2,
    connections: 4,
    "in-flight": 500,
    control: 100,
  };
  const { values } = parseArgs({
    options: Object.fromEntries(Object.keys(defaults).map((name) => [name, { type: "string" as const }])),
  });
  const numbers: Record<keyof typeof defaults, number> = { ...defaults };
  for (const name of Object.keys(defaults) as (keyof typeof defaults)[]) {
    const given = values[name];
    if (given === undefined) continue;
    numbers[name] = Number(given);
    if (!Number.isInteger(numbers[name]) || numbers[name] < 1) throw new RangeError(`--${name} is a count.`);
  }
  return numbers;
}
const numbers = readNumbers();

const print = (line: string) => process.stdout.write(`${line}\n`);
let failed = false;

function judge(name: string, handedOver: Report, opens: number, seconds: number): void {
  const once = handedOver.filter((count) => count === 1).length;
  const never = handedOver.filter((count) => count === 0).length;
  const often = handedOver.filter((count) => count > 1);
  const control = name.includes("control");
  print(
    `${name}: ${handedOver.length} secrets, ${opens} opens in ${seconds.toFixed(1)} s ` +
      `(${Math.round(opens / seconds)}/s): ${once} handed over once, ${never} never, ${often.length} more than once` +
      (often.length > 0 ? ` (up to ${Math.max(...often)} times)` : ""),
  );
  if (!control && once !== handedOver.length) failed = true;
  if (control && often.length === 0) print("  The control did not fail: these openers prove nothing.");
}

async function createAll(store: Store): Promise<NewSecret[]> {
  const secrets = Array.from({ length: numbers.secrets }, () => newSecret());
  for (const secret of secrets) await store.create(secret);
  return secrets;
}

async function runEmbedded(): Promise<void> {
  const store = createMemoryStore({ limits: TEST_LIMITS, maxBytes: 2 ** 30 });
  const secrets = await createAll(store);
  const start = performance.now();
  const handedOver: number[] = [];
  for (const { id, linkHash, accessHash } of secrets) {
    const results = await Promise.all(
      Array.from({ length: numbers.openers }, () =>
        store.open({ id, linkHash, accessHash, claim: createClaim() }),
      ),
    );
    handedOver.push(results.filter(({ kind }) => kind === "handed-over").length);
  }
  const seconds = (performance.now() - start) / 1000;
  judge("embedded", handedOver, secrets.length * numbers.openers, seconds);
  await store.close();
}

async function nextMessage(worker: ChildProcess): Promise<unknown> {
  const [message] = await Promise.race([
    once(worker, "message"),
    once(worker, "exit").then(([code]) => {
      throw new Error(`A worker ended with ${code}.`);
    }),
  ]);
  return message;
}

/** All workers at it at once; the sum of what they were handed, target by target. */
async function openTogether(order: Omit<Order, "openers">, total: number) {
  const script = fileURLToPath(new URL("opener-worker.ts", import.meta.url));
  const workers = Array.from({ length: numbers.workers }, () => fork(script, { execArgv: process.execArgv }));
  const openers = Math.ceil(total / workers.length);
  await Promise.all(
    workers.map(async (worker) => {
      worker.send({ ...order, openers } satisfies Order);
      await nextMessage(worker);
    }),
  );
  const start = performance.now();
  const reports = await Promise.all(
    workers.map(async (worker) => {
      worker.send("go");
      return (await nextMessage(worker)) as Report;
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  const handedOver = order.targets.map((_, index) =>
    reports.reduce((sum, report) => sum + (report[index] ?? 0), 0),
  );
  return { handedOver, seconds, opens: order.targets.length * openers * workers.length };
}

async function runRedis(): Promise<void> {
  const server = await startRedis();
  const store = await openRedisStore(server.port);
  const secrets = await createAll(store);
  const targets = secrets.map(({ id, linkHash, accessHash }) => ({
    id,
    linkHash: [...linkHash],
    accessHash: [...accessHash],
  }));
  const order = {
    port: server.port,
    way: "store",
    targets,
    connections: numbers.connections,
    inFlight: numbers["in-flight"],
  } as const;
  const real = await openTogether(order, numbers.openers);
  judge("Redis", real.handedOver, real.opens, real.seconds);

  const some = targets.slice(0, numbers.control);
  const admin = await server.client();
  for (const { id } of some) await admin.set(`naive:${id}`, "a share");
  const naive = await openTogether({ ...order, way: "get-then-delete", targets: some }, numbers.openers);
  judge("control, get-then-delete on Redis", naive.handedOver, naive.opens, naive.seconds);
  await store.close();
  await server.stop();
}

await runEmbedded();
await runRedis();
process.exitCode = failed ? 1 : 0;
