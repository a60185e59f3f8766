const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];

/** Milliseconds from the first failure to the next attempt, from the second, and so on; the last one stays. */
const DELAYS = [5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR] as const;
/** However long somebody asks us to wait. */
const LONGEST_WAIT = 6 * HOUR;
/** Milliseconds since an event from which on no further attempt is made. */
const PATIENCE = 24 * HOUR;

export interface Failure {
  /** Which attempt failed, from 1. */
  readonly attempt: number;
  /** When it was queued, and what time it is, in milliseconds since 1970. */
  readonly since: number;
  readonly now: number;
  /** Seconds. */
  readonly retryAfter?: number | undefined;
  /** From 0 to 1. */
  readonly random: number;
}

/** Milliseconds to the next attempt; undefined where there is none. */
export function nextDelay({ attempt, since, now, retryAfter = 0, random }: Failure): number | undefined {
  const planned = DELAYS[Math.min(attempt, DELAYS.length) - 1] ?? DELAYS[0];
  // So that what failed together does not come back together.
  const spread = planned * (0.8 + 0.4 * random);
  const delay = Math.round(Math.max(spread, Math.min(retryAfter * SECOND, LONGEST_WAIT)));
  return now + delay - since > PATIENCE ? undefined : delay;
}
