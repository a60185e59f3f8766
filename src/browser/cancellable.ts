import { element, show } from "./dom.ts";
import { createProgress, type Progress } from "./progress.ts";

/** The person has had enough, or has gone on to something else. */
export class CancelledError extends Error {
  override readonly name = "CancelledError";
}

let current: AbortController | undefined;

/** For what comes in between, such as another link in the same tab. */
export function cancelCurrent(): void {
  current?.abort();
}

/** Shows a screen with a progress bar and a way out while `run` is under way; `words` as for the bar. */
export async function cancellable<T>(
  screen: string,
  words: readonly [going: string, first?: string],
  run: (progress: Progress, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  current = controller;
  const progress = createProgress(show(screen), ...words);
  element("cancel", HTMLButtonElement).onclick = () => controller.abort();
  try {
    return await run(progress, controller.signal);
  } catch (error) {
    throw controller.signal.aborted ? new CancelledError() : error;
  } finally {
    if (current === controller) current = undefined;
  }
}

const warn = (event: Event) => event.preventDefault();

/** The browser asks before the page is left: what `run` does would be lost. */
export async function guarded<T>(run: () => Promise<T>): Promise<T> {
  addEventListener("beforeunload", warn);
  try {
    return await run();
  } finally {
    removeEventListener("beforeunload", warn);
  }
}
