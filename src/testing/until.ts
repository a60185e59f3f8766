import { setTimeout } from "node:timers/promises";

/**
 * Asks again and again until the answer is yes; the test runner's timeout is the only limit. For
 * things that come by themselves, such as a reconnection.
 */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await setTimeout(10);
}
