import { ApiProblem, type ReceiptView, readReceiptEvents } from "./api.ts";
import { createEventParser } from "./event-stream.ts";
import { randomBelow, systemRandom } from "./random-below.ts";
import { wait } from "./retry.ts";
import { inStreamPlace } from "./stream-place.ts";

/** Milliseconds until a stream that says nothing is taken for one that something on its way keeps back. */
const FIRST_WORD = 5_000;
/** Milliseconds of silence after which it is given up; the server gives a sign of life every 15 s. */
const SILENCE = 40_000;
/** Milliseconds: the first wait for another stream at most, and every wait at most. */
const FIRST = 1_000;
const LONGEST = 60_000;
/** Milliseconds that a stream has to last for the next one to be tried soon. */
const LASTING = 10_000;
/** Milliseconds between two looks where there is no stream, and while nobody sees the page. */
const LOOK = 5_000;
const LOOK_HIDDEN = 30_000;

export interface Followed {
  /** Asks for the receipt as it is, and shows it unless something newer has been told. */
  ask(): Promise<void>;
  /** The receipt as the stream has it now. */
  told(view: ReceiptView): void;
  /** The server does not know it, any more. Nothing follows. */
  forgotten(): void;
  /** It could not be asked; what was told last may be over. Goes on all the same. */
  lost(error: unknown): void;
  /** It answers, though there may be nothing new to tell. */
  found(): void;
  /** Whether it is lost and not yet found: asked again even beside a stream that has nothing new to tell. */
  isLost(): boolean;
}

/**
 * Follows a receipt until it is stopped or forgotten: live by a stream, which is made again where it
 * breaks, and by looking from time to time as long as there is none, as behind a proxy that keeps
 * streams back, or beside many other tabs. Goes on while the page is hidden, so that its tab can say what has happened.
 */
export function followReceipt(
  bearer: string,
  { ask, told, forgotten, lost, found, isLost }: Followed,
  stopped: AbortSignal,
): void {
  let streaming = false;
  let lastId = "";

  /** Whether it is over, because nothing is there. */
  function isForgotten(error: unknown): boolean {
    if (!(error instanceof ApiProblem && error.body.code === "not-found")) return false;
    if (!stopped.aborted) forgotten();
    return true;
  }

  /** Resolves or throws when the stream is over. */
  async function readStream(): Promise<void> {
    const giveUp = new AbortController();
    const stop = () => giveUp.abort();
    stopped.addEventListener("abort", stop, { once: true });
    let watchdog = setTimeout(stop, FIRST_WORD);
    const parse = createEventParser(({ id, data }) => {
      lastId = id;
      if (!stopped.aborted) told(JSON.parse(data));
    });
    try {
      await readReceiptEvents(
        bearer,
        lastId,
        (text) => {
          if (!streaming && !stopped.aborted) found();
          streaming = true;
          clearTimeout(watchdog);
          watchdog = setTimeout(stop, SILENCE);
          parse(text);
        },
        giveUp.signal,
      );
    } finally {
      streaming = false;
      clearTimeout(watchdog);
      stopped.removeEventListener("abort", stop);
    }
  }

  async function stream(): Promise<void> {
    for (let failures = 0; !stopped.aborted; failures++) {
      const began = performance.now();
      let asked = 0;
      try {
        if (!(await inStreamPlace(readStream))) {
          asked = LOOK;
          failures = 0;
        }
      } catch (error) {
        if (isForgotten(error)) return;
        if (error instanceof ApiProblem) asked = (error.retryAfter ?? 0) * 1_000;
      }
      if (performance.now() - began > LASTING) failures = 0;
      // With full jitter: a server that restarts has cut everybody off at the same moment.
      await wait(asked + randomBelow(Math.min(LONGEST, FIRST * 2 ** failures), systemRandom), stopped);
    }
  }

  async function look(): Promise<void> {
    while (!stopped.aborted) {
      await wait(document.visibilityState === "hidden" ? LOOK_HIDDEN : LOOK, stopped);
      if ((streaming && !isLost()) || stopped.aborted) continue;
      try {
        await ask();
      } catch (error) {
        if (isForgotten(error)) return;
        // A stream that came about meanwhile, or has told something, knows better.
        if ((!streaming || isLost()) && !stopped.aborted) lost(error);
      }
    }
  }

  void stream();
  void look();
}
