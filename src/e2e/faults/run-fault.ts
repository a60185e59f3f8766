import { type Algorithm, type AlgorithmName, algorithms } from "./algorithms.ts";
import { check, type Verdict } from "./check.ts";
import { createClient } from "./client.ts";
import { each, type Fault, type Stage } from "./fault.ts";
import { createHistory, readHistory } from "./history.ts";

/**
 * The redelivery window of the server as it comes; and after how long a request is said to hang, on
 * whatever machine. That a request that can't be served is answered within two seconds is for the
 * tests of the store, which don't run nine servers beside it.
 */
const RULES = { window: 30_000, bound: 10_000 };
/** Milliseconds; a fault is repaired within seconds. */
const LONGEST_EPISODE = 120_000;

export interface Amount {
  readonly episodes: keyof Fault["episodes"];
  /** In all episodes together, at least. */
  readonly secrets: number;
}

export interface Outcome {
  readonly fault: Fault;
  readonly algorithm: AlgorithmName;
  readonly episodes: number;
  readonly verdict: Verdict;
  readonly seconds: number;
  /** Why the run has failed, one sentence each, with the file that holds every call. */
  readonly failures: readonly string[];
}

async function runOne(fault: Fault, algorithm: Algorithm, amount: Amount): Promise<Outcome> {
  const started = performance.now();
  const history = createHistory(`${fault.name} ${algorithm.name}`);
  const episodes = fault.episodes[amount.episodes];
  const perEpisode = Math.ceil(amount.secrets / episodes);
  const failures: string[] = [];
  let stage: Stage | undefined;
  try {
    stage = await fault.setUp(algorithm);
    const { app } = stage;
    for (let number = 0; number < episodes; number++) {
      const client = createClient(history, performance.now() + LONGEST_EPISODE);
      const secrets = await client.makeSecrets(perEpisode);
      await stage.episode(client, secrets, number);
      await each(secrets, (secret) => client.probe(secret, app));
    }
  } catch (error) {
    failures.push(`an episode came to no end: ${error instanceof Error ? error.message : error}`);
  } finally {
    await stage?.close();
  }
  const verdict = check(readHistory(history.file), RULES);
  failures.push(...judge(fault, algorithm.name, verdict));
  if (failures.length === 0) history.remove();
  return {
    ...{ fault, algorithm: algorithm.name, episodes, verdict },
    seconds: (performance.now() - started) / 1000,
    failures: failures.map((why) => `${fault.name}, ${algorithm.name}: ${why} (${history.file})`),
  };
}

function judge(fault: Fault, algorithm: AlgorithmName, verdict: Verdict): string[] {
  const found = { "read twice": verdict.readTwice, lost: verdict.lost };
  const must = fault.mustFail[algorithm] ?? [];
  const failures = must
    .filter((failure) => found[failure].length === 0)
    .map((failure) => `nothing was ${failure}, so the fault was none and the run proves nothing`);
  if (algorithm !== "ours") return failures;
  const { readTwice, lost, unread, wrongStates, late, unexpected } = verdict;
  const excused = new Set<string>(must);
  for (const [what, names] of Object.entries({
    "read twice": readTwice,
    lost,
    "used up with no reader": unread,
    "told a wrong state": wrongStates,
    "answered too late": late,
    "answered otherwise than expected": unexpected,
  })) {
    if (names.length > 0 && !excused.has(what)) {
      failures.push(`${names.length} ${what}: ${names.slice(0, 3).join("; ")}`);
    }
  }
  return failures;
}

/** All algorithms at once, each on machinery of its own. */
export function runFault(fault: Fault, amount: Amount, chosen = algorithms): Promise<Outcome[]> {
  return each(chosen, (algorithm) => runOne(fault, algorithm, amount));
}
