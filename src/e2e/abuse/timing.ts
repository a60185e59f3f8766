import { Agent, request } from "node:http";
import { guess } from "./grammar.ts";
import { createRandom } from "./random.ts";
import { quantile } from "./report.ts";
import { createClient, inParallel, type Rig, STORES, type StoreName } from "./rig.ts";
import { kolmogorovSmirnov, mannWhitney, medianDifference } from "./statistics.ts";

/** So many questions are open at once: each waits 20 ms for its no. */
const ABREAST = 16;
const SECRETS = 50;
/** Below this a difference would come by chance once in a thousand runs, three comparisons each. */
const SIGNIFICANT = 0.001 / 3;
/** Milliseconds added to one kind in the control, which has to be told. */
const PLANTED = 0.25;

function timeOf(agent: Agent, url: string, bearer: string): Promise<number> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${bearer}` };
    const sent = request(`${url}/api/v1/secret`, { agent, headers }, (response) => {
      const time = performance.now() - started;
      if (response.statusCode !== 404) reject(new Error(`A miss was answered with ${response.statusCode}.`));
      response.resume().on("end", () => resolve(time));
    });
    sent.on("error", reject).end();
  });
}

async function measure(rig: Rig, store: StoreName, url: string): Promise<void> {
  const { report, scale } = rig;
  const random = createRandom(rig.seed);
  const client = createClient(url);
  const make = async (name: string) => {
    const secrets = [];
    for (let i = 0; i < SECRETS; i++) secrets.push(await rig.seal(`timing, ${store}, ${name} ${i}`));
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
  const order = kinds.flatMap((kind) => Array.from({ length: scale.misses }, () => kind));
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

  report.line(
    `${store}: GET /api/v1/secret, ${scale.misses} of each kind, in random order, ${ABREAST} at once`,
  );
  const milliseconds = (value: number) => value.toFixed(3);
  report.table([
    ["", "p5 ms", "p50 ms", "p95 ms"],
    ...kinds.map(({ name, times }) => [
      name,
      ...[0.05, 0.5, 0.95].map((part) => milliseconds(quantile(times, part))),
    ]),
  ]);
  const rows: (string | number)[][] = [
    ["compared", "Mann–Whitney p", "P(first longer)", "K–S distance", "K–S p", "medians differ by ms (95 %)"],
  ];
  const compare = (name: string, first: readonly number[], second: readonly number[]) => {
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
  const results = [];
  for (const [i, one] of kinds.entries()) {
    for (const other of kinds.slice(i + 1)) {
      const name = `${one.name}, ${other.name}`;
      results.push({ name, p: compare(name, one.times, other.times) });
    }
  }
  const times = kinds[0]?.times ?? [];
  const control = compare(
    `control: the same, and ${PLANTED} ms more`,
    times.filter((_, i) => i % 2 === 0).map((time) => time + PLANTED),
    times.filter((_, i) => i % 2 === 1),
  );
  report.table(rows);
  for (const { name, p } of results)
    report.rule(p >= SIGNIFICANT, `${store}: ${name}: no difference can be told`);
  if (scale.misses >= 20_000) report.rule(control < SIGNIFICANT, `${store}: the planted difference is told`);
}

/** Whether the time of a 404 tells what there is. */
export async function runTiming(rig: Rig): Promise<void> {
  for (const store of STORES) {
    await rig.withServer(store, { LOG_LEVEL: "info" }, (server) => measure(rig, store, server.url));
  }
}
