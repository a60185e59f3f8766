import { setTimeout } from "node:timers/promises";

/** Milliseconds. Less than the runner gives to a file, which it ends without a word of what was waited for. */
const LONGEST = 150_000;

/**
 * Asks again and again until the answer is yes, for things that come by themselves, such as a
 * reconnection. Throws from where it was called when that takes far too long.
 */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const begun = performance.now();
  while (!(await holds())) {
    if (performance.now() - begun > LONGEST) throw new Error(`Waited ${LONGEST / 1000} s in vain: ${holds}`);
    await setTimeout(10);
  }
}
