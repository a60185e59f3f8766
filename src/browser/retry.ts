import type { ApiProblem } from "./api.ts";
import { randomBelow, systemRandom } from "./random-below.ts";

/** Milliseconds: the first wait at most, every wait at most, and how long nothing may get through. */
const FIRST = 500;
const LONGEST = 15_000;
const PATIENCE = 600_000;

export interface Retry {
  /** Something got through. */
  progressed(): void;
  /**
   * Waits before the next try. Throws `error` where `signal` was aborted, where another try can't help,
   * or when nothing has got through for ten minutes.
   */
  pause(error: unknown): Promise<void>;
}

interface RetryOptions {
  readonly signal: AbortSignal;
  readonly mayPass: (error: unknown) => boolean;
  readonly onLost: () => void;
}

/**
 * Exponential backoff with full jitter, so that everybody whom a restarted server has cut off doesn't
 * come back at the same moment.
 */
export function createRetry({ signal, mayPass, onLost }: RetryOptions): Retry {
  let failures = 0;
  let failingSince: number | undefined;
  return {
    progressed() {
      failures = 0;
      failingSince = undefined;
    },
    async pause(error) {
      failingSince ??= Date.now();
      if (signal.aborted || !mayPass(error) || Date.now() - failingSince > PATIENCE) throw error;
      onLost();
      const asked = ((error as Partial<ApiProblem>).retryAfter ?? 0) * 1_000;
      const atMost = Math.min(LONGEST, FIRST * 2 ** failures);
      await wait(asked + randomBelow(atMost, systemRandom), signal);
      failures += 1;
      if (signal.aborted) throw error;
    },
  };
}

/** Ends early when the browser is online again, or when the person has had enough. */
export function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = new AbortController();
    const end = () => {
      over.abort();
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    addEventListener("online", end, { signal: over.signal });
    signal.addEventListener("abort", end, { signal: over.signal });
  });
}
