import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Store } from "../store/store.ts";
import { within } from "../store/within.ts";
import { registerStoreMemory } from "./store-memory-metrics.ts";

export interface Metrics {
  readonly registry: Registry;
  readonly created: Counter;
  readonly opened: Counter;
  readonly expired: Counter;
  readonly abandoned: Counter;
  readonly deleted: Counter;
  readonly locked: Counter;
  readonly wrongPassphrases: Counter;
  readonly full: Counter;
  readonly rateLimited: Counter<"limit">;
  readonly refused: Counter<"act" | "reason">;
  readonly streams: Gauge;
  readonly httpDuration: Histogram<"route" | "method" | "status">;
  readonly storeDuration: Histogram<"operation">;
}

/** Milliseconds that a scrape waits for the store. */
const SCRAPE_PATIENCE = 1000;

/**
 * Every label is from a closed set: a name of ours, a status, a route's template. Nobody outside can
 * make a new time series.
 */
export function createMetrics(store: Pick<Store, "countPending" | "memory">): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = (name: string, help: string) => new Counter({ name, help, registers });
  collectDefaultMetrics({ register: registry });

  // One look per scrape for both: collectors start in the order in which they are registered.
  let look: Promise<number | undefined> = Promise.resolve(undefined);
  new Gauge({
    name: "waxseal_store_up",
    help: "1 where the store answered this scrape, else 0",
    registers,
    async collect() {
      look = within(SCRAPE_PATIENCE, store.countPending()).catch(() => undefined);
      this.set((await look) === undefined ? 0 : 1);
    },
  });
  new Gauge({
    name: "waxseal_pending_secrets",
    help: "Secrets sealed or locked now, in the whole store, and for a while those whose end is being told; absent while the store does not answer",
    registers,
    async collect() {
      const pending = await look;
      if (pending === undefined) this.remove();
      else this.set(pending);
    },
  });

  registerStoreMemory(registry, store);

  return {
    registry,
    created: counter("waxseal_secrets_created_total", "Secrets sealed"),
    opened: counter("waxseal_secrets_opened_total", "Secrets handed over"),
    expired: counter("waxseal_secrets_expired_total", "Secrets that ran out unopened"),
    abandoned: counter("waxseal_uploads_abandoned_total", "Uploads given up before they were whole"),
    deleted: counter("waxseal_secrets_deleted_total", "Secrets deleted by their sender"),
    locked: counter("waxseal_secrets_locked_total", "Secrets locked after too many wrong passphrases"),
    wrongPassphrases: counter("waxseal_wrong_passphrases_total", "Wrong passphrases tried"),
    full: counter("waxseal_store_full_total", "Secrets refused because the store was full"),
    rateLimited: new Counter({
      name: "waxseal_rate_limited_total",
      help: "Requests refused by a rate limit",
      labelNames: ["limit"],
      registers,
    }),
    refused: new Counter({
      name: "waxseal_refused_total",
      help: "Attempts to create or open that the operator's demands or a sender's rules refused",
      labelNames: ["act", "reason"],
      registers,
    }),
    streams: new Gauge({
      name: "waxseal_receipt_streams",
      help: "Receipts that are followed live through this process",
      registers,
    }),
    httpDuration: new Histogram({
      name: "waxseal_http_request_duration_seconds",
      help: "Time from a request's headers to the end of its answer, event streams left out",
      labelNames: ["route", "method", "status"],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    storeDuration: new Histogram({
      name: "waxseal_store_duration_seconds",
      help: "Time that the store took for one act",
      labelNames: ["operation"],
      buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers,
    }),
  };
}
