import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { guess } from "./grammar.ts";
import { createRandom, type Random } from "./random.ts";
import { quantile } from "./report.ts";
import { createClient, inParallel, type Rig, STORES, type StoreName } from "./rig.ts";
import { kolmogorovSmirnov, mannWhitney, medianDifference } from "./statistics.ts";
import { type Pair, type Sample, SIGNIFICANT, tellApart } from "./tell-apart.ts";

/** So many questions are open at once: each waits 20 ms for its no. */
const ABREAST = 16;
const SECRETS = 50;
/** Milliseconds added to one kind in the control, which has to be told. */
const PLANTED = 0.25;

function askOnce(agent: Agent, url: string, bearer: string): Promise<{ status: number; time: number }> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${bearer}` };
    const sent = request(`${url}/api/v1/secret`, { agent, headers }, (response) => {
      const time = performance.now() - started;
      response.resume().on("end", () => resolve({ status: response.statusCode ?? 0, time }));
    });
    sent.on("error", reject).end();
  });
}

/** Of an answer that says no. While the store is too slow for the program's patience, there is none. */
async function timeOf(agent: Agent, url: string, bearer: string): Promise<number> {
  for (let tries = 1; ; tries++) {
    const { status, time } = await askOnce(agent, url, bearer);
    if (status === 404) return time;
    if (status !== 503 || tries === 40) throw new Error(`A miss was answered with ${status}.`);
    await sleep(250);
  }
}

/** The times of so many misses of each kind, in random order, on secrets that no other sample has. */
async function takeSample(
  rig: Rig,
  store: StoreName,
  url: string,
  random: Random,
  size: number,
): Promise<readonly Sample[]> {
  const { report } = rig;
  const misses = rig.scale.misses * size;
  const client = createClient(url);
  const make = async (name: string) => {
    const secrets = [];
    for (let i = 0; i < SECRETS; i++)
      secrets.push(await rig.seal(`timing, ${store}, sample ${size}, ${name} ${i}`));
    return secrets;
  };
  const [sealed, ended, unknown] = [await make("sealed"), await make("ended"), await make("unknown")];
  await inParallel([...sealed, ...ended], 8, client.create);
  await inParallel(ended, 8, async (secret) => {
    if ((await client.open(secret)) === undefined) throw new Error("A secret could not be opened.");
  });
  client.close();

  const kinds = [
    { name: "never existed", secrets: unknown },
    { name: "wrong proof", secrets: sealed },
    { name: "ended", secrets: ended },
  ].map((kind) => ({ ...kind, times: [] as number[] }));
  const order = kinds.flatMap((kind) => Array.from({ length: misses }, () => kind));
  for (let i = order.length - 1; i > 0; i--) {
    const other = random.below(i + 1);
    const [one, two] = [order[i], order[other]];
    if (one && two) [order[i], order[other]] = [two, one];
  }
  const agent = new Agent({ keepAlive: true, maxSockets: ABREAST });
  const warmUp = Array.from({ length: ABREAST * 20 }, () => random.pick(order));
  const ask = (kind: (typeof kinds)[number]) => timeOf(agent, url, guess(random, random.pick(kind.secrets)));
  await inParallel(warmUp, ABREAST, async (kind) => void (await ask(kind)));
  await inParallel(order, ABREAST, async (kind) => void kind.times.push(await ask(kind)));
  agent.destroy();

  report.line(`${store}: GET /api/v1/secret, ${misses} of each kind, in random order, ${ABREAST} at once`);
  const milliseconds = (value: number) => value.toFixed(3);
  report.table([
    ["", "p5 ms", "p50 ms", "p95 ms"],
    ...kinds.map(({ name, times }) => [
      name,
      ...[0.05, 0.5, 0.95].map((part) => milliseconds(quantile(times, part))),
    ]),
  ]);
  return kinds;
}

async function measure(rig: Rig, store: StoreName, url: string): Promise<void> {
  const { report, scale } = rig;
  const random = createRandom(rig.seed);
  const rows: (string | number)[][] = [
    ["compared", "Mann–Whitney p", "P(first longer)", "K–S distance", "K–S p", "medians differ by ms (95 %)"],
  ];
  const compare = ({ name, one: first, other: second }: Pair) => {
    const [one, other] = [Float64Array.from(first), Float64Array.from(second)];
    const rank = mannWhitney(one, other);
    const distance = kolmogorovSmirnov(one, other);
    const { difference, low, high } = medianDifference(one, other, random);
    const interval = `${difference.toFixed(4)} (${low.toFixed(4)} to ${high.toFixed(4)})`;
    rows.push([
      name,
      rank.p.toPrecision(2),
      rank.superiority.toFixed(4),
      distance.distance.toFixed(4),
      distance.p.toPrecision(2),
      interval,
    ]);
    return rank.p;
  };
  let first: readonly Sample[] = [];
  const judged = await tellApart(
    async (size) => {
      if (size > 1)
        report.line(
          `${store}: a difference, which may be chance; a second sample, ${size} times as large, decides`,
        );
      const sample = await takeSample(rig, store, url, random, size);
      if (size === 1) first = sample;
      return sample;
    },
    (pair, size) => compare(size === 1 ? pair : { ...pair, name: `second sample: ${pair.name}` }),
  );
  const times = first[0]?.times ?? [];
  const control = compare({
    name: `control: the same, and ${PLANTED} ms more`,
    one: times.filter((_, i) => i % 2 === 0).map((time) => time + PLANTED),
    other: times.filter((_, i) => i % 2 === 1),
  });
  report.table(rows);
  for (const { name, told, suspected } of judged) {
    const by = suspected ? " by the second sample" : "";
    report.rule(!told, `${store}: ${name}: no difference can be told${by}`);
  }
  if (scale.misses >= 20_000) report.rule(control < SIGNIFICANT, `${store}: the planted difference is told`);
}

/** Whether the time of a 404 tells what there is. */
export async function runTiming(rig: Rig): Promise<void> {
  for (const store of STORES) {
    await rig.withServer(store, { LOG_LEVEL: "info" }, (server) => measure(rig, store, server.url));
  }
}
