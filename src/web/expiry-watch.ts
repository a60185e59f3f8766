import type { Logger } from "pino";
import type { SecretId } from "../envelope/tokens.ts";
import type { Store } from "../store/store.ts";
import { describeError } from "./log-error.ts";

export interface ExpiryWatch {
  stop(): void;
}

export interface ExpiryWatchOptions {
  /** Instrumented, so that what it reports is counted and written down. */
  readonly store: Pick<Store, "collectExpired" | "collectAbandoned">;
  readonly log: Logger;
  /** Milliseconds from the end of one look to the next. */
  readonly every: number;
  /** See `Store.collectExpired`. */
  readonly beforeForget?: ((id: SecretId) => Promise<void>) | undefined;
}

/**
 * Asks the store from time to time what ran out unopened or was never sent whole, so that this too
 * stands in the log.
 * Expiry itself does not depend on it. Never keeps the process alive.
 */
export function startExpiryWatch({ store, log, every, beforeForget }: ExpiryWatchOptions): ExpiryWatch {
  let timer: NodeJS.Timeout;
  let stopped = false;
  let failing = false;

  async function look(): Promise<void> {
    // A store that is too full for what is to be told gets room again by what was given up.
    const looks = await Promise.allSettled([store.collectExpired(beforeForget), store.collectAbandoned()]);
    const failed = looks.find((result) => result.status === "rejected");
    // Said once per outage; readiness and the failing requests say the rest.
    if (failed && !failing) {
      log.warn({ error: describeError(failed.reason) }, "cannot look for expired secrets");
    }
    failing = failed !== undefined;
    if (!stopped) schedule();
  }

  function schedule(): void {
    timer = setTimeout(look, every);
    timer.unref();
  }

  schedule();
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
