import { setTimeout as sleep } from "node:timers/promises";

/** Asks again and again until the answer is yes; a question that fails counts as no. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  seconds = 30,
): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    if (await Promise.resolve(holds()).catch(() => false)) return;
    if (performance.now() > deadline) throw new Error(`This did not come to pass in ${seconds} s: ${what}.`);
    await sleep(20);
  }
}
