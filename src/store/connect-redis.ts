import { Cluster, Redis } from "ioredis";
import type { RedisTls } from "../config/config.ts";
import type { RedisAddress } from "../config/redis-url.ts";
import { RedisFault } from "./redis-faults.ts";
import { clusterOptions, serverOptions } from "./redis-options.ts";
import { StorePreconditionError, StoreUnavailableError } from "./store.ts";

export interface ConnectOptions {
  readonly address: RedisAddress;
  readonly tls?: RedisTls | undefined;
  /** Before every key. */
  readonly keyPrefix?: string | undefined;
  /** Told of every failed connection, for a log line, and of which node's where it is a Cluster that goes on. */
  readonly onFault?: ((fault: RedisFault, node?: string) => void) | undefined;
}

/**
 * A client that is not connected yet: `openRedis` connects it, and from then on it keeps itself
 * connected. Commands fail at once while it isn't. For one server; throws RangeError for a Cluster's address.
 */
export function connectRedis({ address, tls, keyPrefix = "", onFault }: ConnectOptions): Redis {
  if (address.kind === "cluster") throw new RangeError("This is a Cluster. Use connectCluster.");
  const client = new Redis(serverOptions(address, tls, keyPrefix));
  client.on("error", (error: unknown) => onFault?.(new RedisFault(error)));
  return client;
}

/** The same for a Cluster; throws RangeError for any other address. */
export function connectCluster({ address, tls, keyPrefix = "", onFault }: ConnectOptions): Cluster {
  if (address.kind !== "cluster") throw new RangeError("This is not a Cluster. Use connectRedis.");
  const nodes = address.nodes.map(({ host, port }) => ({ host, port }));
  const client = new Cluster(nodes, clusterOptions(address, tls, keyPrefix));
  client.on("error", (error: unknown) => onFault?.(new RedisFault(error)));
  client.on("node error", (error: unknown, node: string) => onFault?.(new RedisFault(error), node));
  // ioredis connects to a node when there is something to ask it, and refuses what else is asked
  // meanwhile. So masters are connected to beforehand, but not before what comes with the news of a node
  // (a command that was MOVED there) has been sent: that one waits for the connection.
  const connectToMaster = (node: Redis) => {
    if (node.status === "wait" && !node.options.readOnly) node.connect().catch(() => {}); // see "node error"
  };
  client.on("+node", (node: Redis) => {
    if (client.status === "ready") setImmediate(connectToMaster, node);
  });
  client.on("ready", () => client.nodes("master").forEach(connectToMaster));
  return client;
}

export function connectRedisOrCluster(options: ConnectOptions): Redis | Cluster {
  return options.address.kind === "cluster" ? connectCluster(options) : connectRedis(options);
}

const FIXES: readonly (readonly [RegExp, string])[] = [
  [
    /^(WRONGPASS|NOAUTH|NOPERM)$/,
    "refuses the user or the password. Correct them in its address or in REDIS_PASSWORD",
  ],
  [
    /^ESENTINELAUTH$/,
    "has Sentinels that refuse the user or the password. Correct them in its address or in REDIS_SENTINEL_PASSWORD",
  ],
  [/^ENOTCLUSTER$/, "is not a Cluster. Write redis:// in place of redis+cluster:// in its address"],
  [
    /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/,
    "has a certificate that is not trusted. Set REDIS_CA_FILE to the certificate of who issued it, or REDIS_SERVER_NAME to the name in it",
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
    await new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer);
        client.off("ready", ready);
        client.off("reconnecting", failed);
      };
      const ready = () => {
        settle();
        resolve(undefined);
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
  if (client instanceof Cluster) await nodesConnected(client);
}

/** Until every master is connected, or has failed to be: what is asked meanwhile would fail. */
async function nodesConnected(client: Cluster): Promise<void> {
  const connecting = client.nodes("master").filter(({ status }) => status !== "ready" && status !== "end");
  await Promise.all(
    connecting.map(async (node) => {
      if (node.status === "wait") return node.connect().catch(() => {});
      return new Promise<void>((resolve) => {
        node.once("ready", resolve);
        node.once("end", resolve);
      });
    }),
  );
}
