/**
 * Decides from a history alone what the people of an episode were made to suffer. It knows what a
 * secret promises, and nothing of how any program keeps the promise:
 *
 * - a secret has one reader: the claim that was handed the share, however often within the window;
 * - a create that was answered 201 is kept until somebody is handed the share;
 * - nobody is told a state that the calls so far can't have led to;
 * - every request is answered in time, and a failure is a 503.
 */
import type { Call } from "./history.ts";

export interface Rules {
  /** Milliseconds in which the same claim may fetch the share again. */
  readonly window: number;
  /** Milliseconds in which every request must be answered. */
  readonly bound: number;
}

/** Names of secrets, or sentences about calls. */
export interface Verdict {
  readonly secrets: number;
  readonly acknowledged: number;
  /** More than one reader. */
  readonly readTwice: readonly string[];
  /** Acknowledged, handed to nobody, and in the end unknown or `lost`. */
  readonly lost: readonly string[];
  /** Used up and handed to nobody, though whoever tried kept trying until told. */
  readonly unread: readonly string[];
  /** Used up and handed to nobody, where somebody gave up while the answer was still "try again". */
  readonly givenUp: readonly string[];
  readonly wrongStates: readonly string[];
  readonly late: readonly string[];
  /** Answers that no fault excuses: 5xx other than 503, and refusals of a correct request. */
  readonly unexpected: readonly string[];
  readonly unavailable: number;
  /** Milliseconds that the longest request took. */
  readonly longest: number;
}

const EXPECTED = new Set<Call["answer"]>([200, 201, 404, 410, 503, "broken", "none"]);
const isHandedOver = (call: Call) => call.op === "open" && call.answer === 200;

function describe({ op, secret, reader, answer, state, start, end }: Call): string {
  const who = reader === undefined ? "" : ` by ${reader}`;
  return `${op} ${secret}${who}: ${answer}${state ? ` ${state}` : ""}, ${Math.round(start)} to ${Math.round(end)}`;
}

/** One claim counts once within the window after it was first handed the share, and again after it. */
function countReaders(calls: readonly Call[], { window }: Rules): number {
  let readers = 0;
  const since = new Map<string, number>();
  for (const { reader = "", start, end } of calls.filter(isHandedOver).sort((a, b) => a.end - b.end)) {
    const first = since.get(reader);
    if (first !== undefined && start <= first + window) continue;
    since.set(reader, end);
    readers++;
  }
  return readers;
}

function findWrongStates(calls: readonly Call[], acknowledgedAt: number, isLost: boolean): string[] {
  const firstOpen = Math.min(...calls.filter(({ op }) => op === "open").map(({ start }) => start));
  const handedOver = Math.min(...calls.filter(isHandedOver).map(({ end }) => end));
  return calls
    .filter((call) => {
      if (call.op === "create" || call.start < acknowledgedAt) return false;
      const { answer, state, start, end, op } = call;
      // Nothing was deleted, and nothing was left long enough to expire.
      if (state === "deleted" || state === "expired" || state === "locked") return true;
      // Where it is lost at the end, that is what is wrong with it.
      if (!isLost && state === "lost") return true;
      if (state === "opened" && end < firstOpen) return true;
      if (op === "receipt" && state === "sealed" && start > handedOver) return true;
      // Unknown, before anybody can have used it up: it was seen nowhere, if only for a while.
      return !isLost && answer === 404 && end < handedOver;
    })
    .map(describe);
}

export function check(history: readonly Call[], rules: Rules): Verdict {
  const bySecret = new Map<string, Call[]>();
  for (const call of history) {
    const calls = bySecret.get(call.secret);
    if (calls) calls.push(call);
    else bySecret.set(call.secret, [call]);
  }

  const readTwice: string[] = [];
  const lost: string[] = [];
  const unread: string[] = [];
  const givenUp: string[] = [];
  const wrongStates: string[] = [];
  const unexpected = history.filter(({ answer }) => !EXPECTED.has(answer)).map(describe);
  let acknowledged = 0;

  for (const [secret, calls] of bySecret) {
    const readers = countReaders(calls, rules);
    if (readers > 1) readTwice.push(secret);
    const creates = calls.filter(({ op }) => op === "create");
    const wrongShare = calls.filter((call) => isHandedOver(call) && call.share !== creates[0]?.share);
    unexpected.push(...wrongShare.map((call) => `another share: ${describe(call)}`));

    const first = creates.filter(({ answer }) => answer === 201).sort((a, b) => a.end - b.end)[0];
    if (!first) continue;
    acknowledged++;
    const final = calls.filter(({ probe, op }) => probe && op === "open").at(-1);
    const isGone = final?.answer === 404 || final?.state === "lost";
    const isLost = readers === 0 && isGone;
    if (isLost) lost.push(secret);
    else if (readers === 0 && final?.answer === 410) {
      (someoneGaveUp(calls) ? givenUp : unread).push(secret);
    } else if (readers === 0) {
      unexpected.push(`not probed: ${secret}`);
    }
    wrongStates.push(...findWrongStates(calls, first.end, isLost));
  }

  const durations = history.map(({ start, end }) => end - start);
  return {
    ...{ secrets: bySecret.size, acknowledged, readTwice, lost, unread, givenUp, wrongStates, unexpected },
    late: history.filter(({ start, end }) => end - start > rules.bound).map(describe),
    unavailable: history.filter(({ answer }) => answer === 503).length,
    longest: durations.reduce((most, duration) => Math.max(most, duration), 0),
  };
}

/** Whether a claim's last word was "try again". */
function someoneGaveUp(calls: readonly Call[]): boolean {
  const latest = new Map<string, Call>();
  for (const call of calls) {
    if (call.op !== "open") continue;
    const known = latest.get(call.reader ?? "");
    if (!known || known.end < call.end) latest.set(call.reader ?? "", call);
  }
  return [...latest.values()].some(
    ({ answer }) => answer === 503 || answer === "broken" || answer === "none",
  );
}
