import { isIP } from "node:net";
import { type Cluster, Redis, type RedisOptions } from "ioredis";
import type { RedisTls } from "../config/config.ts";
import type { RedisAddress } from "../config/redis-url.ts";
import { RedisFault } from "./redis-faults.ts";
import { StorePreconditionError, StoreUnavailableError } from "./store.ts";

export interface ConnectOptions {
  readonly address: RedisAddress;
  readonly tls?: RedisTls | undefined;
  /** Told of every failed connection, for a log line. */
  readonly onFault?: ((fault: RedisFault) => void) | undefined;
}

/** Milliseconds between two tries: soon at first, and never so long that a recovery goes unnoticed. */
const retryDelay = (times: number) => Math.min(25 * 2 ** Math.min(times, 10), 1_000) + Math.random() * 50;

const BEHAVIOUR = {
  connectionName: "waxseal",
  lazyConnect: true,
  // A request that can't be served now is told so now, instead of waiting in a queue of unknown length.
  enableOfflineQueue: false,
  commandTimeout: 1_000,
  connectTimeout: 2_000,
  // A peer that vanished without a word (power, network) is given up, long before TCP would notice.
  socketTimeout: 3_000,
  // ioredis would send what was not answered again after a reconnect: perhaps to another master,
  // perhaps seconds after its caller was told that it failed. Every act of ours may be repeated, but
  // whether it is repeated is the caller's to decide. Both are needed: without the 0, a command that
  // is not sent again is not failed either until its timeout.
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  autoResubscribe: false,
  maxLoadingRetryTime: 1_000,
  retryStrategy: retryDelay,
  sentinelRetryStrategy: retryDelay,
  sentinelCommandTimeout: 1_000,
  // A master that became a replica, as after a failover: find the new one.
  reconnectOnError: (error: Error) => error.message.startsWith("READONLY"),
} as const satisfies RedisOptions;

function tlsOptions(tls: RedisTls | undefined, host: string) {
  return {
    ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls?.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls?.key === undefined ? {} : { key: tls.key }),
    // The name to be certified; an address can't be one (RFC 6066, section 3).
    ...(isIP(host) === 0 && host !== "" ? { servername: host } : {}),
  };
}

type Options = Omit<RedisOptions, "replyMapping">;

function addressOptions(address: RedisAddress, tls: RedisTls | undefined): Options {
  const common: Options = {
    db: address.database,
    ...(address.username === undefined ? {} : { username: address.username }),
    ...(address.password === undefined ? {} : { password: address.password }),
  };
  if (address.kind === "single") {
    const { host, port } = address;
    return { ...common, host, port, ...(address.tls ? { tls: tlsOptions(tls, host) } : {}) };
  }
  const secured = tlsOptions(tls, "");
  return {
    ...common,
    sentinels: address.sentinels.map(({ host, port }) => ({ host, port })),
    name: address.masterName,
    ...(address.sentinelUsername === undefined ? {} : { sentinelUsername: address.sentinelUsername }),
    ...(address.sentinelPassword === undefined ? {} : { sentinelPassword: address.sentinelPassword }),
    ...(address.tls ? { tls: secured, sentinelTLS: secured, enableTLSForSentinelMode: true } : {}),
  };
}

/**
 * A client that is not connected yet: `openRedis` connects it, and from then on it keeps itself
 * connected. Commands fail at once while it isn't.
 */
export function connectRedis({ address, tls, onFault }: ConnectOptions): Redis {
  const client = new Redis({ ...BEHAVIOUR, ...addressOptions(address, tls) });
  client.on("error", (error: unknown) => onFault?.(new RedisFault(error)));
  return client;
}

const FIXES: readonly (readonly [RegExp, string])[] = [
  [/^(WRONGPASS|NOAUTH|NOPERM)$/, "refuses the user or the password. Correct them in its address"],
  [
    /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/,
    "has a certificate that is not trusted. Set REDIS_CA_FILE to the certificate of who issued it",
  ],
  [
    /^(EPROTO|ERR_SSL)/,
    "does not speak TLS as expected. Compare redis:// or rediss:// in its address with the port",
  ],
];

/**
 * Resolves when the client is connected. Throws `StoreUnavailableError` where nobody answers within
 * some seconds, and `StorePreconditionError` where trying again won't help; neither holds a password.
 * It goes on trying in the background in both cases.
 */
export async function openRedis(client: Redis | Cluster, role = "Redis"): Promise<void> {
  if (client.status === "ready") return;
  let latest: unknown;
  const remember = (error: unknown) => {
    latest = error;
  };
  client.on("error", remember);
  try {
    await new Promise<void>((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer);
        client.off("ready", ready);
        client.off("reconnecting", failed);
      };
      const ready = () => {
        settle();
        resolve();
      };
      const failed = () => {
        settle();
        reject(latest);
      };
      const timer = setTimeout(failed, 3_000);
      client.once("ready", ready);
      client.once("reconnecting", failed);
      if (client.status === "wait" || client.status === "end") client.connect().catch(() => {}); // see "error"
    });
  } catch (error) {
    const fault = new RedisFault(error);
    const fix = FIXES.find(([pattern]) => pattern.test(fault.code))?.[1];
    if (fix) throw new StorePreconditionError(`${role} ${fix} (${fault.code}).`, { cause: fault });
    throw new StoreUnavailableError({ cause: fault });
  } finally {
    client.off("error", remember);
  }
}
