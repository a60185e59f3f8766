import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runCut } from "./cut.ts";
import { runFuzz } from "./fuzz.ts";
import { createGrep } from "./log-grep.ts";
import { createReport, type Report } from "./report.ts";
import { createRig, type Rig, type Scale, STORES } from "./rig.ts";
import { runSlow } from "./slow.ts";
import { runTiming } from "./timing.ts";

/** What a run does unless told otherwise. */
export const FULL: Scale = {
  slowSockets: 10_000,
  slowSeconds: 100,
  slowStores: STORES,
  slowBefore: 15,
  malformed: { embedded: 1_000_000, Redis: 250_000 },
  sealed: 1000,
  idle: 12,
  growth: 32,
  cutEvery: 1,
  misses: 100_000,
};

/** For two minutes on a quiet machine of two cores. */
export const SHORT: Scale = {
  slowSockets: 1000,
  slowSeconds: 31,
  slowStores: ["embedded"],
  slowBefore: 3,
  malformed: { embedded: 20_000, Redis: 10_000 },
  sealed: 100,
  idle: 2,
  growth: 96,
  cutEvery: 97,
  misses: 1500,
};

export const SECTIONS: Readonly<Record<string, { about: string; run: (rig: Rig) => Promise<void> }>> = {
  slow: { about: "Slow connections", run: runSlow },
  fuzz: { about: "Malformed requests", run: runFuzz },
  cut: { about: "The line is cut at every byte of the answer", run: runCut },
  timing: { about: "The time of a 404", run: runTiming },
};

async function searchLogs({ claim, needles, logs, folder, report }: Rig): Promise<void> {
  report.line("\n== Search of the logs");
  // One that must be found, or finding nothing would mean nothing.
  const planted = claim("planted");
  const grep = createGrep(needles);
  const control = join(folder, "control.log");
  await writeFile(control, `{"claim":"${planted}"}\n`);
  const found = new Map<string, number>();
  let bytes = 0;
  for (const log of logs) {
    const result = await grep.file(log);
    bytes += result.bytes;
    for (const [name, count] of result.found) found.set(name, count);
  }
  report.line(
    `  ${logs.length} logs of ${(bytes / 2 ** 20).toFixed(1)} MiB in all, searched for ${needles.size} values in ${grep.spellings} spellings`,
  );
  for (const [name, count] of [...found].slice(0, 20)) report.line(`  found ${count} times: ${name}`);
  report.rule(found.size === 0, `${found.size} of them found`);
  report.rule(
    (await grep.file(control)).found.size > 0,
    "the one that was planted in a file beside is found",
  );
}

/** All of them where none is named. Returns the rules that were broken. */
export async function runSections(
  names: readonly string[],
  scale: Scale,
  seed: number,
  report: Report = createReport(),
): Promise<readonly string[]> {
  report.line(`seed ${seed}`);
  const rig = await createRig(scale, seed, report);
  try {
    for (const [name, { about, run }] of Object.entries(SECTIONS)) {
      if (names.length > 0 && !names.includes(name)) continue;
      report.line(`\n== ${about}`);
      const started = performance.now();
      await run(rig);
      report.line(`  took ${((performance.now() - started) / 1000).toFixed(0)} s`);
    }
    await searchLogs(rig);
  } finally {
    await rig.close();
  }
  report.line(
    report.broken().length === 0 ? "\nNo rule is broken." : `\nBroken: ${report.broken().join("; ")}`,
  );
  return report.broken();
}
