/**
 * With `followEnds`, each act that may have to be told of brings the look at its secret forward to so many
 * milliseconds from now. Whoever does the act tells of it much sooner; should it die, the look does.
 */
export const LOOK_SOON = 10_000;
/** Milliseconds for which a secret that is being looked at is nobody else's: then the look has failed. */
export const LOOK_LEASE = 15_000;
/** How many secrets one sweep tells of at the same time. */
export const TOLD_AT_ONCE = 16;

/** For `collectExpired`: resolves when all that there is to tell of a secret has been told. */
export type BeforeForget<T> = (id: T) => Promise<void>;

/** As `Promise.allSettled`, a few at a time. */
export async function settleInTurns<T>(
  items: readonly T[],
  act: (item: T) => Promise<void>,
): Promise<{ readonly failures: readonly unknown[] }> {
  const left = items.values();
  const failures: unknown[] = [];
  async function work(): Promise<void> {
    for (const item of left) await act(item).catch((error: unknown) => failures.push(error));
  }
  await Promise.all(Array.from({ length: TOLD_AT_ONCE }, work));
  return { failures };
}
