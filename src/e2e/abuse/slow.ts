import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { ServerProcess } from "../../testing/server-process.ts";
import { quantile, type Report } from "./report.ts";
import { descriptorsOf, isReady, type Rig, residentOf, type StoreName } from "./rig.ts";

export type Kind = "headers" | "body" | "silent" | "reader";
/** Milliseconds on the flood's clock; null where it never came to that. */
export interface Slow {
  readonly kind: Kind;
  opened: number | null;
  dropped: number | null;
}

/** Seconds from its start to its end, or undefined where it did not start or end. */
function lifeOf({ opened, dropped }: Slow): number | undefined {
  return opened === null || dropped === null ? undefined : (dropped - opened) / 1000;
}

/**
 * Seconds that each kind may last: what http-server.ts promises (10 to the end of the headers, 60 to that
 * of a body, 65 after an answer), and 20 for the look a second and for thousands that wait to be accepted.
 */
const ALLOWED: Readonly<Record<Kind, number>> = { headers: 30, silent: 30, body: 80, reader: 85 };
/** Milliseconds until what a connection held has to be given back once its other side is gone. */
const GIVEN_BACK = 20_000;
/** Milliseconds between two requests of somebody honest. */
const PACE = 40;
/** Milliseconds after which somebody honest would call it broken. */
const PATIENCE = 10_000;

/** A page over a connection of its own, from this address: in milliseconds; undefined where nothing came. */
function visit(port: number, localAddress: string): Promise<number | undefined> {
  const started = performance.now();
  return new Promise((resolve) => {
    const sent = request({ host: "127.0.0.1", port, path: "/s", localAddress, agent: false }, (response) => {
      response.resume();
      response.on("end", () =>
        resolve(response.statusCode === 200 ? performance.now() - started : undefined),
      );
      response.on("error", () => resolve(undefined));
    });
    sent.setTimeout(PATIENCE, () => sent.destroy());
    sent.on("error", () => resolve(undefined)).end();
  });
}

/** Visits until told to stop. Every visit starts on time, whatever became of the one before. */
function startVisits(port: number, localAddress: string) {
  const visits: Promise<number | undefined>[] = [];
  const timer = setInterval(() => visits.push(visit(port, localAddress)), PACE);
  return async () => {
    clearInterval(timer);
    const times = await Promise.all(visits);
    return {
      times: times.filter((time) => time !== undefined),
      failed: times.filter((time) => time === undefined).length,
    };
  };
}

type Visits = Awaited<ReturnType<ReturnType<typeof startVisits>>>;
const row = (name: string, { times, failed }: Visits) => [
  name,
  times.length,
  failed,
  ...[0.5, 0.99, 1].map((part) => quantile(times, part).toFixed(1)),
];

function requireDescriptors(count: number): void {
  const line = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  if (line === "unlimited" || Number(line) >= count) return;
  throw new Error(
    `This needs ${count} descriptors a process and may have ${line}. Raise the limit: ulimit -Hn ${count}`,
  );
}

function reportDrops(report: Report, all: readonly Slow[]): void {
  const rows: (string | number)[][] = [["slow", "opened", "dropped", "first s", "median s", "last s"]];
  for (const kind of Object.keys(ALLOWED) as Kind[]) {
    const opened = all.filter((slow) => slow.kind === kind && slow.opened !== null);
    const lives = opened.map(lifeOf).filter((life) => life !== undefined);
    rows.push([
      kind,
      opened.length,
      lives.length,
      ...[0, 0.5, 1].map((part) => quantile(lives, part).toFixed(1)),
    ]);
  }
  report.table(rows);
}

async function flood(rig: Rig, store: StoreName, server: ServerProcess): Promise<void> {
  const { report, scale } = rig;
  const { port } = server;
  await visit(port, "127.0.0.1");
  const page = await (await fetch(`${server.url}/`)).text();
  const [asset = "/"] = /\/assets\/create[^"]*\.js/.exec(page) ?? [];
  const { byteLength } = await (await fetch(server.url + asset)).arrayBuffer();
  const descriptorsBefore = descriptorsOf(server);
  const before = startVisits(port, "127.0.0.1");
  await sleep(scale.slowBefore * 1000);
  const quiet = await before();

  const child = fork(
    fileURLToPath(new URL("flood.ts", import.meta.url)),
    [port, scale.slowSockets, scale.slowSeconds, asset, byteLength].map(String),
    {
      execArgv: ["--import", "tsx"],
    },
  );
  const started = performance.now();
  const curve: (string | number)[][] = [["s", "descriptors", "resident MiB"]];
  const sample = () => {
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    curve.push([seconds, descriptorsOf(server), residentOf(server).toFixed(0)]);
  };
  sample();
  const apart = startVisits(port, "127.0.0.1");
  const among = startVisits(port, "127.0.1.1");
  const sampling = setInterval(sample, 5000);
  let all: readonly Slow[] = [];
  child.on("message", (message: { kind: string; all?: readonly Slow[] }) => {
    if (message.kind === "opened") sample();
    all = message.all ?? all;
  });
  await once(child, "exit");
  clearInterval(sampling);
  const [elsewhere, beside] = [await apart(), await among()];
  const enough = descriptorsBefore + 10;
  const ended = performance.now();
  while (descriptorsOf(server) > enough && performance.now() - ended < GIVEN_BACK) await sleep(100);
  sample();

  report.line(`${store}: ${scale.slowSockets} slow connections from 8 addresses`);
  reportDrops(report, all);
  report.table(curve.filter((_, i) => i < 6 || i % 3 === 0 || i === curve.length - 1));
  report.table([
    ["visits, each over a new connection", "answered", "failed", "p50 ms", "p99 ms", "longest ms"],
    row("before", quiet),
    row("meanwhile, from another address", elsewhere),
    row("meanwhile, from an address of the flood", beside),
  ]);
  const kept = all.filter(
    (slow) =>
      slow.opened !== null &&
      scale.slowSeconds > ALLOWED[slow.kind] &&
      (lifeOf(slow) ?? Number.POSITIVE_INFINITY) > ALLOWED[slow.kind],
  );
  report.rule(kept.length === 0, `${store}: ${kept.length} slow connections outlived what they may`);
  const failed = elsewhere.failed + beside.failed;
  report.rule(
    failed === 0,
    `${store}: ${failed} of ${failed + elsewhere.times.length + beside.times.length} visits failed`,
  );
  const descriptors = descriptorsOf(server);
  report.rule(descriptors <= enough, `${store}: descriptors back to ${descriptorsBefore} (${descriptors})`);
  report.rule(await isReady(server), `${store}: the same process is ready at the end`);
}

/** Thousands of connections that send or read next to nothing. */
export async function runSlow(rig: Rig): Promise<void> {
  requireDescriptors(rig.scale.slowSockets + 500);
  for (const store of rig.scale.slowStores)
    await rig.withServer(store, {}, (server) => flood(rig, store, server));
}
