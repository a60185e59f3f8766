import { setTimeout as wait } from "node:timers/promises";
import type { Registry } from "prom-client";
import { fingerprint } from "../audit/fingerprint.ts";
import type { Trail } from "../audit/trail.ts";
import type { SecretId } from "../envelope/tokens.ts";
import type { Outbox } from "../store/outbox.ts";
import type { Store } from "../store/store.ts";
import type { Channel } from "./channel.ts";
import type { NotifyLog } from "./notify-log.ts";
import { registerNotifications } from "./notify-metrics.ts";
import { createTeller, type Teller } from "./teller.ts";
import { startWorker } from "./worker.ts";

export interface NotificationOptions {
  /** At least one. */
  readonly channels: readonly Channel[];
  readonly store: Pick<Store, "read">;
  readonly outbox: Outbox;
  readonly log: NotifyLog;
  readonly trail: Pick<Trail, "write">;
  readonly registry: Registry;
}

/**
 * Milliseconds for what is on its way when the process ends. A store that does not answer then must not
 * take the time that the audit trail needs for its last line; what is left is told by another replica.
 */
const LAST_WORDS = 750;

/** From a secret's record to whoever is told. `close` takes less than a second. */
export function startNotifications(options: NotificationOptions): Teller {
  const { channels, store, outbox, log, trail, registry } = options;
  const count = registerNotifications(registry, outbox, channels);
  const worker = startWorker({ outbox, channels, log, trail, count });
  const teller = createTeller({
    read: (id: SecretId) => store.read(id),
    outbox,
    channels,
    nameOf: fingerprint,
    log,
    onAdded: worker.wake,
    onRefused: (channel) => count(channel, "refused"),
  });
  return {
    ...teller,
    async close() {
      const closed = Promise.all([teller.close(), worker.close()]);
      await Promise.race([closed, wait(LAST_WORDS, undefined, { ref: false })]);
    },
  };
}
