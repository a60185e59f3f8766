import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Trail } from "../audit/trail.ts";
import type { Outbox, Taken } from "../store/outbox.ts";
import { nextDelay } from "./backoff.ts";
import { type Channel, DeliveryError } from "./channel.ts";
import { type NotifyEvent, parseEvent } from "./event.ts";
import type { NotifyLog } from "./notify-log.ts";

/** Deliveries to one destination at a time, by this process. */
const AT_ONCE = 4;
/** Milliseconds for one attempt; well below the outbox's `idle`. */
const TIME_LIMIT = 10_000;
/** Milliseconds between two looks, for what other replicas queued or left behind. */
const POLL = 1_000;
/** Milliseconds for what is on its way when the process ends. */
const DRAIN = 600;

/**
 * Milliseconds between tries to write down what became of a delivery. With an attempt's time they are
 * less than the outbox's `idle`: until then nobody else takes it, and it need not arrive twice.
 */
const SETTLE_AGAIN = [250, 1_000, 2_000];

/** While an upgrade rolls out there may be somebody who can. */
const UNREADABLE = "This version can't read what is to be told. Finish upgrading all replicas.";

/** `failed`: an attempt; `dead`: the last one, or one after which no other can help. */
export type Outcome = "delivered" | "failed" | "dead";

export interface Worker {
  /** There is something new for these destinations. */
  wake(to: readonly string[]): void;
  /** Takes nothing any more, and resolves when what is on its way is settled or given back: within a second. */
  close(): Promise<void>;
}

export interface WorkerOptions {
  readonly outbox: Outbox;
  readonly channels: readonly Channel[];
  readonly log: NotifyLog;
  readonly trail: Pick<Trail, "write">;
  readonly count: (channel: Channel, outcome: Outcome) => void;
  /** Milliseconds; `TIME_LIMIT` by default. */
  readonly timeLimit?: number;
}

/** Rejects when the signal aborts, whatever the work does about it. */
async function until<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(new DeliveryError("took too long"));
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof DeliveryError) return error.message;
  return error instanceof Error ? error.name : typeof error;
}

/** Delivers what the outbox has, one destination beside the other, so that none waits for another. */
export function startWorker(options: WorkerOptions): Worker {
  const { outbox, channels, log, trail, count, timeLimit = TIME_LIMIT } = options;
  const closing = new AbortController();
  setMaxListeners(0, closing.signal); // each attempt is one, and each pause
  let closed = false;
  /** The outbox itself could not be asked; said once until it can. */
  let failing = false;

  function outboxFailed(error: unknown): void {
    if (!failing)
      log.warn({ error: log.describe(error) }, "cannot get at queued notifications; trying again");
    failing = true;
  }

  function serve(channel: Channel) {
    const running = new Set<Promise<void>>();
    let timer: NodeJS.Timeout | undefined;
    let taking: Promise<void> | undefined;
    let again = false;
    /** Attempts fail; said once until one succeeds. */
    let away = false;

    /** Each of the outbox's acts may be repeated. */
    async function settle(act: () => Promise<void>): Promise<void> {
      for (const pause of SETTLE_AGAIN) {
        const failure = await act().catch((error: unknown) => ({ error }));
        if (failure === undefined) return;
        outboxFailed(failure.error);
        // At the end there is no time to wait.
        await sleep(pause, undefined, { signal: closing.signal }).catch(() => {});
      }
      await act();
    }

    function writeDown(audit: "notified" | "notification-dead", event: NotifyEvent, attempts: number): void {
      // The event's own name of the secret is the trail's.
      trail.write({ audit, secret: event.secret, told: event.kind, channel: channel.name, attempts });
    }

    async function fail(taken: Taken, event: NotifyEvent | undefined, error: unknown): Promise<void> {
      const { permanent = false, retryAfter } = error instanceof DeliveryError ? error : {};
      const { attempt, since } = taken;
      const [now, random] = [Date.now(), Math.random()];
      const delay = permanent ? undefined : nextDelay({ attempt, since, now, random, retryAfter });
      const said = { channel: channel.name, attempt, reason: reasonOf(error) };
      count(channel, "failed");
      if (delay === undefined) {
        await settle(() => outbox.bury(taken, said.reason));
        count(channel, "dead");
        if (event) writeDown("notification-dead", event, attempt);
        log.warn(said, "a notification is given up");
        return;
      }
      await settle(() => outbox.later(taken, delay, attempt + 1));
      if (!away) log.warn(said, "notifications fail; trying again and again");
      away = true;
    }

    /**
     * With a signal for the time limit and for the end. It is not AbortSignal.any's: Node 20 forgets the time
     * limit when it collects garbage, since that signal holds those it was made of by weak references only.
     */
    async function limited(deliver: (signal: AbortSignal) => Promise<void>): Promise<void> {
      const limit = new AbortController();
      const abort = () => limit.abort();
      const limitTimer = setTimeout(abort, timeLimit);
      limitTimer.unref();
      closing.signal.addEventListener("abort", abort);
      if (closing.signal.aborted) abort();
      try {
        await deliver(limit.signal);
      } finally {
        clearTimeout(limitTimer);
        closing.signal.removeEventListener("abort", abort);
      }
    }

    async function attempt(taken: Taken): Promise<void> {
      const event = parseEvent(taken.body);
      if (event === undefined) return fail(taken, event, new DeliveryError(UNREADABLE));
      try {
        await limited((signal) => until(signal, channel.deliver(event, taken.key, taken.attempt, signal)));
      } catch (error) {
        if (closing.signal.aborted) return outbox.later(taken, 0, taken.attempt);
        return fail(taken, event, error);
      }
      await settle(() => outbox.done(taken));
      count(channel, "delivered");
      away = false;
      writeDown("notified", event, taken.attempt);
    }

    async function take(): Promise<void> {
      again = false;
      try {
        const taken = await outbox.take(channel.name, AT_ONCE - running.size);
        failing = false;
        for (const item of taken) {
          const work = attempt(item)
            // It stays with us until somebody else may take it.
            .catch(outboxFailed)
            .finally(() => {
              running.delete(work);
              look();
            });
          running.add(work);
        }
        again ||= taken.length > 0;
      } catch (error) {
        outboxFailed(error);
      }
    }

    function look(): void {
      if (closed || taking) {
        again = true;
        return;
      }
      clearTimeout(timer);
      // Looks again when one of them is done.
      if (running.size >= AT_ONCE) return;
      taking = take().finally(() => {
        taking = undefined;
        if (closed) return;
        if (again) return look();
        timer = setTimeout(look, POLL);
        timer.unref();
      });
    }

    look();
    return {
      name: channel.name,
      look,
      async stop() {
        clearTimeout(timer);
        await taking;
        await Promise.all(running);
      },
    };
  }

  const served = channels.map(serve);
  return {
    wake(to) {
      for (const each of served) if (to.includes(each.name)) each.look();
    },
    async close() {
      closed = true;
      const timer = setTimeout(() => closing.abort(), DRAIN);
      await Promise.all(served.map((each) => each.stop()));
      clearTimeout(timer);
    },
  };
}
