/**
 * `npm run bench:live`: how long a sender waits until the receipt says that the secret was opened. One
 * secret after the other is followed, opened through another replica where there is one, and the clock
 * runs from the opener's answer, and from the opener's request, to the moment at which the receipt's
 * reader has been told; then the same until a real page's seal is broken in the DOM. How many of each: the first two
 * arguments, or 300 and 30.
 *
 * The word leaves before the opener's answer does, so the time from the answer may be below zero.
 */
import { launchChromium } from "../testing/chromium.ts";
import { readEvents } from "../testing/event-stream.ts";
import { startRedis } from "../testing/redis-server.ts";
import { type SealedSecret, sealSecret } from "../testing/sealed-secret.ts";
import { type ServerProcess, startServer } from "../testing/server-process.ts";
import { openBarePage } from "./bare-page.ts";

const [streams = 300, pages = 30] = process.argv.slice(2).map(Number);
const PLENTY = { RATE_LIMIT_CREATE: "1000000/1m", RATE_LIMIT_OPEN: "1000000/1m" };
/** Milliseconds that a page has to have its stream. */
const SETTLED = 500;

const print = (line: string) => process.stdout.write(`${line}\n`);
/** Milliseconds since 1970 with fractions, by the clock that the browser on this machine has too. */
const now = () => performance.timeOrigin + performance.now();

interface Opening {
  readonly asked: number;
  readonly answered: number;
}
/** Resolves with when the reader was told. */
type Follow = (at: ServerProcess, secret: SealedSecret) => Promise<() => Promise<number>>;

async function post(url: string, body: object, bearer = ""): Promise<void> {
  const headers = {
    "Content-Type": "application/json",
    ...(bearer && { Authorization: `Bearer ${bearer}` }),
  };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}: ${response.status} ${text}`);
}

async function open(through: ServerProcess, { access, link }: SealedSecret): Promise<Opening> {
  const asked = now();
  await post(`${through.url}/api/v1/secret/open`, { access }, link);
  return { asked, answered: now() };
}

const byStream: Follow = async (at, { receipt }) => {
  const reader = await readEvents(`${at.url}/api/v1/receipt/events`, { Authorization: `Bearer ${receipt}` });
  const next = async () => ((await reader.next())?.data as { state?: string } | undefined)?.state;
  if ((await next()) !== "sealed") throw new Error("The receipt does not begin as sealed.");
  return async () => {
    const state = await next();
    const told = now();
    reader.close();
    if (state !== "opened") throw new Error(`The receipt says ${state}.`);
    return told;
  };
};

function quantile(sorted: readonly number[], share: number): string {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return value.toFixed(1).padStart(8);
}

function describe(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  return `${quantile(sorted, 0.5)} ${quantile(sorted, 0.99)} ${quantile(sorted, 1)}`;
}

async function measure(
  name: string,
  servers: readonly ServerProcess[],
  count: number,
  follow: Follow,
): Promise<void> {
  const fromAnswer: number[] = [];
  const fromRequest: number[] = [];
  for (let i = 0; i < count; i++) {
    const [at, through] = [servers[i % servers.length], servers[(i + 1) % servers.length]];
    if (!at || !through) throw new Error("There is no server.");
    const secret = await sealSecret();
    await post(`${at.url}/api/v1/secrets`, secret.body);
    const telling = await follow(at, secret);
    const told = telling();
    const { asked, answered } = await open(through, secret);
    fromAnswer.push((await told) - answered);
    fromRequest.push((await told) - asked);
  }
  print(`${name.padEnd(44)} ${String(count).padStart(5)} ${describe(fromAnswer)}   ${describe(fromRequest)}`);
}

const redis = await startRedis();
const embedded = await startServer(PLENTY);
const replicas: ServerProcess[] = [];
for (let i = 0; i < 3; i++) replicas.push(await startServer({ ...PLENTY, REDIS_URL: redis.url }));
const browser = await launchChromium();

/** One page for all secrets of a server: another address after the # is another receipt. */
async function byPage(at: ServerProcess): Promise<Follow> {
  const page = await openBarePage(browser, `${at.url}/r#`);
  return async (_at, { receiptFragment }) => {
    await page.evaluate(`new Promise((done) => {
      const seal = document.querySelector("#seal");
      seal.dataset.seal = "";
      location.hash = ${JSON.stringify(receiptFragment)};
      const look = () => seal.dataset.seal === "sealed" && document.title.startsWith("Sealed")
        ? setTimeout(done, ${SETTLED}) : setTimeout(look, 5);
      look();
    })`);
    return () =>
      page.evaluate<number>(`new Promise((done) => {
        const seal = document.querySelector("#seal");
        const told = () => seal.dataset.seal === "opened" && done(performance.timeOrigin + performance.now());
        new MutationObserver(told).observe(seal, { attributes: true });
        told();
      })`);
  };
}

try {
  print("Milliseconds until the receipt says that it was opened");
  print(`${"".padEnd(50)} ${"from the opener's answer".padStart(26)}   ${"from its request".padStart(26)}`);
  const columns = ["median", "p99", "most"].map((word) => word.padStart(8)).join(" ");
  print(`${"".padEnd(44)} ${"n".padStart(5)} ${columns}   ${columns}`);
  const one = replicas.slice(0, 1);
  await measure("stream, one replica, embedded store", [embedded], streams, byStream);
  await measure("stream, one replica on Redis", one, streams, byStream);
  await measure("stream, three replicas on Redis", replicas, streams, byStream);
  await measure("page in Chromium, one replica, embedded store", [embedded], pages, await byPage(embedded));
  await measure("page in Chromium, one replica on Redis", one, pages, await byPage(one[0] ?? embedded));
  const perReplica = new Map<ServerProcess, Follow>();
  for (const replica of replicas) perReplica.set(replica, await byPage(replica));
  await measure("page in Chromium, three replicas on Redis", replicas, pages, (at, secret) => {
    const follow = perReplica.get(at);
    if (!follow) throw new Error("There is no page.");
    return follow(at, secret);
  });
} finally {
  await browser.close();
  for (const server of [embedded, ...replicas]) await server.stop();
  await redis.stop();
}
