import { isIP } from "node:net";
import type { ClusterOptions, RedisOptions } from "ioredis";
import type { RedisTls } from "../config/config.ts";
import type { RedisAddress } from "../config/redis-url.ts";

/** Milliseconds between two tries: soon at first, and never so long that a recovery goes unnoticed. */
const retryDelay = (times: number) => Math.min(25 * 2 ** Math.min(times, 10), 1_000) + Math.random() * 50;

/** Of every connection, to whatever. */
const CONNECTION = {
  connectionName: "waxseal",
  lazyConnect: true,
  commandTimeout: 1_000,
  connectTimeout: 2_000,
  // A peer that is silent this long is given up, long before TCP would notice: what was asked of it
  // fails, and what comes next fails at once, so that a request which asks several things in a row has
  // its answer within two seconds.
  socketTimeout: 900,
  // ioredis would send what was not answered again after a reconnect: perhaps to another master,
  // perhaps seconds after its caller was told that it failed. Every act of ours may be repeated, but
  // whether it is repeated is the caller's to decide. Both are needed: without the 0, a command that
  // is not sent again is not failed either until its timeout.
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  autoResubscribe: false,
  maxLoadingRetryTime: 1_000,
} as const satisfies RedisOptions;

const SERVER = {
  ...CONNECTION,
  // A request that can't be served now is told so now, instead of waiting in a queue of unknown length.
  enableOfflineQueue: false,
  retryStrategy: retryDelay,
  sentinelRetryStrategy: retryDelay,
  sentinelCommandTimeout: 1_000,
  // A master that became a replica, as after a failover: find the new one.
  reconnectOnError: (error: Error) => error.message.startsWith("READONLY"),
} as const satisfies RedisOptions;

const CLUSTER = {
  lazyConnect: true,
  enableOfflineQueue: false,
  clusterRetryStrategy: retryDelay,
  // Names stay names until a connection is made, so that a certificate can be checked by them and one
  // name that is not known (a node that is down) doesn't keep the others from being asked.
  dnsLookup: (host, callback) => callback(null, host),
  slotsRefreshTimeout: 1_000,
  slotsRefreshInterval: 5_000,
  // What was refused because of where it went (MOVED, ASK, TRYAGAIN, CLUSTERDOWN) has not been done
  // and goes elsewhere, or there again: for half a second at most.
  maxRedirections: 5,
  retryDelayOnClusterDown: 100,
  retryDelayOnTryAgain: 100,
  // What was on its way when a node's connection broke may have been done: it is not sent again.
  retryDelayOnFailover: 0,
} as const satisfies ClusterOptions;

function tlsOptions(tls: RedisTls | undefined, host: string) {
  // The name to be certified; an address can't be one (RFC 6066, section 3). Where there are several
  // hosts, each connection is checked by the name or address that it goes to.
  const servername = tls?.serverName ?? (isIP(host) === 0 && host !== "" ? host : undefined);
  return {
    ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls?.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls?.key === undefined ? {} : { key: tls.key }),
    ...(servername === undefined ? {} : { servername }),
  };
}

type Options = Omit<RedisOptions, "replyMapping">;
type ServerAddress = Exclude<RedisAddress, { kind: "cluster" }>;
type ClusterAddress = Extract<RedisAddress, { kind: "cluster" }>;

function credentials({ username, password }: RedisAddress): Options {
  return { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) };
}

function placeOptions(address: ServerAddress, tls: RedisTls | undefined): Options {
  if (address.kind === "unix") return { path: address.path };
  if (address.kind === "single") {
    const { host, port } = address;
    return { host, port, ...(address.tls ? { tls: tlsOptions(tls, host) } : {}) };
  }
  const secured = tlsOptions(tls, "");
  return {
    sentinels: address.sentinels.map(({ host, port }) => ({ host, port })),
    name: address.masterName,
    ...(address.sentinelUsername === undefined ? {} : { sentinelUsername: address.sentinelUsername }),
    ...(address.sentinelPassword === undefined ? {} : { sentinelPassword: address.sentinelPassword }),
    ...(address.tls ? { tls: secured, sentinelTLS: secured, enableTLSForSentinelMode: true } : {}),
  };
}

/** For one server, which may be found through Sentinels. */
export function serverOptions(address: ServerAddress, tls: RedisTls | undefined, keyPrefix: string): Options {
  return {
    ...SERVER,
    db: address.database,
    keyPrefix,
    ...credentials(address),
    ...placeOptions(address, tls),
  };
}

/** For a Cluster. ioredis takes the prefix from the nodes' options, where a node's own connection has it too. */
export function clusterOptions(address: ClusterAddress, tls: RedisTls | undefined, keyPrefix: string) {
  const secured = address.tls ? { tls: tlsOptions(tls, "") } : {};
  return {
    ...CLUSTER,
    redisOptions: { ...CONNECTION, keyPrefix, ...credentials(address), ...secured },
  } satisfies ClusterOptions;
}
