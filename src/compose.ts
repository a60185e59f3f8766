import type { RequestListener } from "node:http";
import { fileURLToPath } from "node:url";
import type { Store as LimitStore } from "express-rate-limit";
import type { Logger } from "pino";
import type { Config } from "./config/config.ts";
import { createMemoryStore } from "./store/memory.ts";
import { type Store, StoreUnavailableError } from "./store/store.ts";
import { createApp } from "./web/app.ts";
import { createPassphraseHasher } from "./web/argon2id-pool.ts";
import { loadAssets } from "./web/assets.ts";
import { createAudit } from "./web/audit.ts";
import { startExpiryWatch } from "./web/expiry-watch.ts";
import { instrumentStore } from "./web/instrument-store.ts";
import type { LimitName } from "./web/limits.ts";
import { createMetrics } from "./web/metrics.ts";
import { createMetricsApp } from "./web/metrics-app.ts";
import { createRenderer } from "./web/views.ts";

/** Milliseconds between two looks for what ran out unopened. */
const EXPIRY_EVERY = 5000;
/** How often a store that does not answer is tried at start, a second apart. */
const STORE_TRIES = 10;

/** Everything that has to be listened for, with nothing listening yet. */
export interface Service {
  readonly handler: RequestListener;
  readonly metricsHandler: RequestListener;
  /** Stops what runs in the background and lets go of the store. */
  close(): Promise<void>;
}

interface Backend {
  readonly store: Store;
  readonly limitStore: (name: LimitName) => LimitStore | undefined;
}

function createBackend(config: Config): Backend {
  return {
    store: createMemoryStore({ limits: config, maxBytes: config.embeddedMaxBytes }),
    limitStore: () => undefined,
  };
}

/** In compose and on Kubernetes everything starts at once, so Redis may be a little later than we are. */
async function checkStore(store: Store): Promise<readonly string[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await store.check();
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || attempt >= STORE_TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

/**
 * Puts the parts together. Throws StorePreconditionError and StoreUnavailableError where the store
 * can't be used; their messages say what to set.
 */
export async function compose(config: Config, log: Logger, isDraining: () => boolean): Promise<Service> {
  // Built files are beside this one, or next door where this is run from its source.
  const built = new URL(import.meta.url.endsWith(".ts") ? "../dist/" : "./", import.meta.url);
  const assets = loadAssets(fileURLToPath(new URL("assets", built)));
  const render = createRenderer(fileURLToPath(new URL("../views", import.meta.url)));

  const { store, limitStore } = createBackend(config);
  for (const warning of await checkStore(store)) log.warn(warning);

  const metrics = createMetrics(store);
  const watched = instrumentStore(store, metrics, createAudit(log));
  const watch = startExpiryWatch({ store: watched, log, every: EXPIRY_EVERY });
  return {
    handler: createApp({
      config,
      store,
      limitStore,
      clock: Date.now,
      log,
      metrics,
      assets,
      render,
      hashPassphrase: createPassphraseHasher(),
      isDraining,
    }),
    metricsHandler: createMetricsApp(metrics),
    async close() {
      watch.stop();
      await store.close();
    },
  };
}
