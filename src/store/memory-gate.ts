import type { MemoryUse } from "./redis-memory.ts";
import { StoreFullError, StoreUnavailableError } from "./store.ts";

/** Room that was admitted for one write. */
export interface Room {
  /** So many bytes, or all that is left, are written or have failed to be: the next reading tells. */
  landed(bytes?: number): void;
  /** What has not landed won't come any more. */
  release(): void;
}

export interface AdmitOptions {
  /** An upload: it holds its room for a long time while its bytes arrive. */
  readonly lasting?: boolean;
}

/** Lets in what fits into one Redis. */
export interface MemoryGate {
  /** Throws `StoreFullError` where it does not fit, `StoreUnavailableError` where nobody knows. */
  admit(bytes: number, options?: AdmitOptions): Promise<Room>;
}

/** Milliseconds that a reading counts. */
const LIFETIME = 250;
/** Milliseconds that a create waits for others before it. */
const PATIENCE = 1_000;
/**
 * Of the head room: the most that one process has under way which the others can't have seen in
 * their own readings. So `n` processes together exceed the budget by no more than `n − 1` eighths of
 * the head room that the oldest of their readings saw, or by `n − 1` secrets where those are larger;
 * and a process alone doesn't exceed it.
 */
const SLICE = 1 / 8;

interface Reading extends MemoryUse {
  readonly at: number;
}

/**
 * `read` is asked at most once at a time, and again after `LIFETIME` or when what this process has
 * admitted since amounts to something.
 */
export function createMemoryGate(read: () => Promise<MemoryUse>): MemoryGate {
  let reading: Reading | undefined;
  let underway: Promise<void> | undefined;
  /** Bytes admitted and not landed yet, of writes and of uploads; and landed since the reading was asked for. */
  let coming = 0;
  let held = 0;
  let landed = 0;
  let waiting: (() => void)[] = [];

  async function look(): Promise<void> {
    const counted = landed;
    const use = await read();
    landed -= counted;
    reading = { ...use, at: performance.now() };
  }

  function refresh(): Promise<void> {
    underway ??= look().finally(() => {
      underway = undefined;
    });
    return underway;
  }

  function wake(): void {
    for (const resume of waiting.splice(0)) resume();
  }

  function nextLanding(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const resume = () => {
        clearTimeout(timer);
        waiting = waiting.filter((other) => other !== resume);
        resolve();
      };
      const timer = setTimeout(resume, milliseconds);
      waiting.push(resume);
    });
  }

  function open(bytes: number, lasting: boolean): Room {
    let left = 0;
    const count = (change: number) => {
      left += change;
      if (lasting) held += change;
      else coming += change;
    };
    count(bytes);
    return {
      landed(part = left) {
        const taken = Math.min(part, left);
        count(-taken);
        landed += taken;
        wake();
      },
      release() {
        count(-left);
        wake();
      },
    };
  }

  return {
    async admit(bytes, { lasting = false } = {}) {
      const deadline = performance.now() + PATIENCE;
      let looked = false;
      for (;;) {
        const now = performance.now();
        if (reading && now - reading.at <= LIFETIME) {
          const { used, budget } = reading;
          if (budget === undefined) return open(bytes, lasting);
          const unseen = coming + landed;
          const fits = used + unseen + held + bytes <= budget;
          if (fits && (lasting || unseen === 0 || unseen + bytes <= (budget - used) * SLICE)) {
            return open(bytes, lasting);
          }
          if (!fits && looked) throw new StoreFullError();
          if (looked && landed === 0 && coming > 0) {
            if (now >= deadline) throw new StoreUnavailableError();
            await nextLanding(deadline - now);
            continue;
          }
        }
        if (now >= deadline && looked) throw new StoreUnavailableError();
        await refresh();
        looked = true;
      }
    },
  };
}
