import { readFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import { fileURLToPath } from "node:url";
import type { Store as LimitStore } from "express-rate-limit";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { openCountries } from "./access/countries.ts";
import { type KeptTrail, keepTrail } from "./audit/keep-trail.ts";
import type { Config } from "./config/config.ts";
import type { RedisAddress } from "./config/redis-url.ts";
import type { SecretId } from "./envelope/tokens.ts";
import { channelsOf } from "./notify/channels-of-config.ts";
import type { NotifyLog } from "./notify/notify-log.ts";
import { startNotifications } from "./notify/start-notifications.ts";
import type { Anchors } from "./store/anchors.ts";
import type { Changes } from "./store/changes.ts";
import { connectRedisOrCluster } from "./store/connect-redis.ts";
import { storeLimits } from "./store/limits-of-config.ts";
import { createMemoryStore } from "./store/memory.ts";
import { createMemoryChanges } from "./store/memory-changes.ts";
import { createMemoryOutbox } from "./store/memory-outbox.ts";
import type { Outbox } from "./store/outbox.ts";
import { createRedisStore } from "./store/redis.ts";
import { createRedisAnchors } from "./store/redis-anchors.ts";
import { createRedisChanges } from "./store/redis-changes.ts";
import { createLimitStore } from "./store/redis-limits.ts";
import { nodeName } from "./store/redis-nodes.ts";
import { createRedisOutbox } from "./store/redis-outbox.ts";
import { type Store, StoreUnavailableError } from "./store/store.ts";
import { createApp } from "./web/app.ts";
import { createPassphraseHasher } from "./web/argon2id-pool.ts";
import { loadAssets } from "./web/assets.ts";
import { createAudit } from "./web/audit.ts";
import { startExpiryWatch } from "./web/expiry-watch.ts";
import { instrumentStore } from "./web/instrument-store.ts";
import type { LimitName } from "./web/limits.ts";
import { describeError } from "./web/log-error.ts";
import { createMetrics } from "./web/metrics.ts";
import { createMetricsApp } from "./web/metrics-app.ts";
import { noteOpeners } from "./web/note-openers.ts";
import { createRenderer } from "./web/views.ts";

/** Milliseconds between two looks for what ran out unopened. */
const EXPIRY_EVERY = 5000;
/** Milliseconds that Redis may come later than we do. */
const STORE_PATIENCE = 10_000;

const CHANGES_REFUSED =
  "Redis does not let replicas tell each other of changes, so receipts show them up to 15 s late. " +
  "Give its user the line of the README, which names the channel.";

/** Everything that has to be listened for, with nothing listening yet. */
export interface Service {
  readonly handler: RequestListener;
  readonly metricsHandler: RequestListener;
  /** The first of its lines is written when `begin` is called. */
  readonly trail: Pick<KeptTrail, "begin">;
  /** Stops what runs in the background and lets go of the store. */
  close(): Promise<void>;
}

interface Backend {
  readonly store: Store;
  readonly outbox: Outbox;
  readonly changes: Changes;
  readonly anchors: Anchors | undefined;
  readonly limitStore: (name: LimitName) => LimitStore | undefined;
}

/**
 * One line when it, or a node of it, goes and one when it comes back, however often it is tried in between:
 * a node that is away comes and goes with every map that another node gives.
 */
function connect(address: RedisAddress, { redisTls, redisKeyPrefix }: Config, log: Logger, role: string) {
  const away = new Set<string>();
  const isBack = (name: string) => {
    if (away.delete(name)) log.info(`${name} is back`);
  };
  const nameOf = (node: string) => `${role}'s node ${node}`;
  const client = connectRedisOrCluster({
    address,
    tls: redisTls,
    keyPrefix: redisKeyPrefix,
    onFault(fault, node) {
      const name = node === undefined ? role : nameOf(node);
      if (!away.has(name))
        log.warn({ error: describeError(fault) }, `${name} is away; trying again and again`);
      away.add(name);
    },
  });
  client.on("ready", () => isBack(role));
  client.on("+node", (node: Redis) => node.on("ready", () => isBack(nameOf(nodeName(node)))));
  return client;
}

function createBackend(config: Config, log: Logger, followEnds: boolean): Backend {
  const { redis, keyringRedis, redisWaitReplicas, keyringRedisWaitReplicas, redisWaitTimeout } = config;
  if (redis === undefined) {
    return {
      store: createMemoryStore({
        limits: storeLimits(config),
        maxBytes: config.embeddedMaxBytes,
        followEnds,
      }),
      outbox: createMemoryOutbox(),
      changes: createMemoryChanges(),
      anchors: undefined,
      limitStore: () => undefined,
    };
  }
  const client = connect(redis, config, log, "Redis");
  const keyring = keyringRedis && connect(keyringRedis, config, log, "the keyring's Redis");
  return {
    store: createRedisStore({
      client,
      keyring,
      limits: storeLimits(config),
      budget: config.storeBudget,
      waitReplicas: redisWaitReplicas,
      keyringWaitReplicas: keyringRedisWaitReplicas,
      waitTimeout: redisWaitTimeout,
      followEnds,
    }),
    outbox: createRedisOutbox({ client }),
    changes: createRedisChanges({
      client,
      keyPrefix: config.redisKeyPrefix,
      onRefused: (fault) => log.warn({ error: describeError(fault) }, CHANGES_REFUSED),
    }),
    anchors: createRedisAnchors(client),
    limitStore: (name) => createLimitStore({ client, name }),
  };
}

/** In compose and on Kubernetes everything starts at once, so Redis may be a little later than we are. */
async function checkStore(store: Store): Promise<readonly string[]> {
  const deadline = performance.now() + STORE_PATIENCE;
  for (;;) {
    try {
      return await store.check();
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || performance.now() >= deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

/**
 * Puts the parts together. Throws CountriesError where GEOIP_DB can't be used, StorePreconditionError and
 * StoreUnavailableError where the store can't; their messages say what to set.
 */
export async function compose(config: Config, log: Logger, isDraining: () => boolean): Promise<Service> {
  // Beside this file once it is built.
  const assets = loadAssets(fileURLToPath(new URL("assets", import.meta.url)));
  const render = createRenderer(fileURLToPath(new URL("../views", import.meta.url)));

  const countries = config.geoipDb && (await openCountries({ path: config.geoipDb, log }));
  if (countries) log.info(countries.about);
  const notifyLog: NotifyLog = {
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    describe: describeError,
  };
  const channels = channelsOf(config, notifyLog);
  // It may well be the one outside, without a way to anybody or their passwords: the one that creates tells.
  const othersTell = config.role === "open" && channels.length === 0;
  const followEnds = channels.length > 0 || othersTell;
  const { store, outbox, changes, anchors, limitStore } = createBackend(config, log, followEnds);
  for (const warning of await checkStore(store)) log.warn(warning);

  const metrics = createMetrics(store);
  const onChange = (id: SecretId) => {
    changes.publish(id);
    notifications?.tell(id);
  };
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const trail = keepTrail({ version, log, anchors, config, registry: metrics.registry });
  const audit = createAudit(trail);
  const notifications =
    channels.length > 0
      ? startNotifications({ channels, store, outbox, log: notifyLog, trail, registry: metrics.registry })
      : undefined;
  const served =
    notifications && config.notifyAddresses ? noteOpeners(store, notifications.noteOpener) : store;
  const watched = instrumentStore(store, metrics, audit, onChange);
  // Whoever looks takes from the index what has ended, and then nobody else can tell of it.
  const watch = othersTell
    ? undefined
    : startExpiryWatch({
        store: watched,
        log,
        every: EXPIRY_EVERY,
        beforeForget: notifications?.tellNow,
      });
  return {
    handler: createApp({
      config,
      store: served,
      changes,
      onChange,
      limitStore,
      log,
      metrics,
      audit,
      assets,
      render,
      hashPassphrase: createPassphraseHasher(),
      clock: Date.now,
      ...(countries ? { countryOf: countries.countryOf } : {}),
      isDraining,
    }),
    metricsHandler: createMetricsApp(metrics),
    trail,
    async close() {
      watch?.stop();
      if (countries) countries.close();
      await notifications?.close();
      await changes.close();
      await trail.close();
      await store.close();
    },
  };
}
