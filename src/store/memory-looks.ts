import type { SecretId } from "../envelope/tokens.ts";
import { LOOK_LEASE, settleInTurns } from "./looks.ts";

/** Which secrets of the embedded store are due for a look, since there may be something to tell of them. */
export interface MemoryLooks {
  /** At `at`, in milliseconds, or sooner. */
  hasten(id: SecretId, at: number): void;
  /**
   * Calls `look` for what is due, a few at a time. What it rejects for is due again some seconds later,
   * and so is that to which more has happened meanwhile. Resolves with what was rejected.
   */
  run(now: number, look: (id: SecretId) => Promise<void>): Promise<readonly unknown[]>;
  clear(): void;
}

export function createMemoryLooks(): MemoryLooks {
  const due = new Map<SecretId, number>();

  return {
    hasten(id, at) {
      // By a millisecond at least: a look that is under way sees by it that there is more to see.
      due.set(id, Math.min(at, (due.get(id) ?? Number.POSITIVE_INFINITY) - 1));
    },
    async run(now, look) {
      const lease = now + LOOK_LEASE;
      const taken = [...due].filter(([, at]) => at <= now).map(([id]) => id);
      for (const id of taken) due.set(id, lease);
      const { failures } = await settleInTurns(taken, async (id) => {
        await look(id);
        if (due.get(id) === lease) due.delete(id);
      });
      return failures;
    },
    clear() {
      due.clear();
    },
  };
}
