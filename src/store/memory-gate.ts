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
/** Milliseconds that a create waits for those before it. */
const PATIENCE = 1_000;
/**
 * Of the head room: the most that one process has under way which the others can't have seen in
 * their own readings. So `n` processes together exceed the budget by no more than `n − 1` eighths of
 * the head room that the oldest of their readings saw, or by `n − 1` secrets where those are larger;
 * and a process alone does so only by what connections and tables take meanwhile.
 */
const SLICE = 1 / 8;

interface Reading extends MemoryUse {
  readonly at: number;
  /** Counts up. */
  readonly number: number;
}

interface Wish {
  readonly bytes: number;
  readonly lasting: boolean;
  /** The latest reading that was asked for before this came: a later one decides that it does not fit. */
  readonly since: number;
  readonly deadline: number;
  resolve(room: Room): void;
  reject(error: unknown): void;
}

/**
 * `read` is asked at most once at a time, and again after `LIFETIME` or when what this process has
 * admitted since amounts to something.
 */
export function createMemoryGate(read: () => Promise<MemoryUse>): MemoryGate {
  let reading: Reading | undefined;
  let asked = 0;
  /** Bytes admitted and not landed yet, of writes and of uploads; and landed since the reading was asked for. */
  let coming = 0;
  let held = 0;
  let landed = 0;
  const queue: Wish[] = [];
  let serving = false;
  let wake = () => {};

  async function look(): Promise<void> {
    asked += 1;
    const number = asked;
    const counted = landed;
    const use = await read();
    landed -= counted;
    reading = { ...use, number, at: performance.now() };
  }

  function nextLanding(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
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

  function judge({ bytes, lasting, since }: Wish): "in" | "full" | "look" | "wait" {
    if (!reading || performance.now() - reading.at > LIFETIME) return "look";
    const { used, budget, number } = reading;
    if (budget === undefined) return "in";
    const unseen = coming + landed;
    const fits = used + unseen + held + bytes <= budget;
    if (fits && (lasting || unseen === 0 || unseen + bytes <= (budget - used) * SLICE)) return "in";
    if (number <= since) return "look";
    if (!fits) return "full";
    return landed > 0 ? "look" : "wait";
  }

  /** One after the other, so that a crowd costs one look and not one each. */
  async function serve(): Promise<void> {
    if (serving) return;
    serving = true;
    for (let [wish] = queue; wish; [wish] = queue) {
      const verdict = judge(wish);
      const patience = wish.deadline - performance.now();
      if (verdict === "in") wish.resolve(open(wish.bytes, wish.lasting));
      else if (verdict === "full") wish.reject(new StoreFullError());
      else if (patience <= 0) wish.reject(new StoreUnavailableError());
      else if (verdict === "wait") {
        await nextLanding(patience);
        continue;
      } else {
        await look().catch((error: unknown) => {
          for (const { reject } of queue.splice(0)) reject(error);
        });
        continue;
      }
      queue.shift();
    }
    serving = false;
  }

  return {
    admit(bytes, { lasting = false } = {}) {
      return new Promise((resolve, reject) => {
        queue.push({ bytes, lasting, since: asked, deadline: performance.now() + PATIENCE, resolve, reject });
        void serve();
      });
    },
  };
}
