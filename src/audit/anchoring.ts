import type { Logger } from "pino";
import type { Anchors } from "../store/anchors.ts";
import type { Trail } from "./trail.ts";

export interface AnchoringOptions {
  readonly trail: Trail;
  readonly anchors: Anchors;
  readonly log: Logger;
  /** Milliseconds from one to the next, where there is something new. */
  readonly every?: number;
  /** Lines after which the next one doesn't wait for its time. */
  readonly everyLines?: number;
}

export interface Anchoring {
  /** Keeps a last one, of the very last line, and stops. Never throws; waits as long as the store does. */
  close(): Promise<void>;
}

/** Keeps the place of the trail's last line where it can't be changed with the log. Never waited for. */
export function startAnchoring(options: AnchoringOptions): Anchoring {
  const { trail, anchors, log, every = 60_000, everyLines = 1_000 } = options;
  /** The line from which on there is something new: what is written about an anchor is not. */
  let next = 0;
  let busy: Promise<void> | undefined;
  let failing = false;
  let closed = false;

  async function keep(): Promise<void> {
    const position = trail.position();
    if (position === undefined || position.seq < next) return;
    const { chain, seq, hash } = position;
    try {
      await anchors.keep({ chain, seq, hash });
      next = seq + 1;
      failing = false;
    } catch {
      // Said once per outage; the store's own lines say why.
      if (!failing) log.warn("audit lines can't be anchored in Redis; trying again and again");
      failing = true;
      return;
    }
    if (closed) return;
    const isLast = trail.position()?.seq === seq;
    trail.write({ audit: "anchored", anchorSeq: seq, anchorHash: hash });
    if (isLast) next = seq + 2;
  }

  function start(): void {
    busy ??= keep().finally(() => {
      busy = undefined;
    });
  }

  trail.follow((_line, _form, { seq }) => {
    // After a failure only the clock tries again.
    if (!failing && seq - next >= everyLines) start();
  });
  const timer = setInterval(start, every);
  timer.unref();

  return {
    async close() {
      clearInterval(timer);
      closed = true;
      await busy;
      await keep();
    },
  };
}
