import { randomInt } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { type Cluster, Redis, type RedisOptions } from "ioredis";
import { createLeasePool, type LeasePool } from "./lease-pool.ts";
import { type NodeAddress, parseRedirection } from "./redirection.ts";
import { storeError } from "./redis-faults.ts";
import { fenceKey } from "./redis-keys.ts";
import { nodeName, nodeNameFor, slotOf } from "./redis-nodes.ts";
import { defineScripts, type Script } from "./redis-scripts.ts";
import { StoreUnavailableError } from "./store.ts";
import {
  countReplicas,
  inTime,
  PATIENCE,
  POOL_SIZE,
  turnTime,
  type WaitOptions,
  type Writer,
  type Written,
  waitingOptions,
} from "./wait-pool.ts";

/** An act that was not done because its keys lie elsewhere, or between two nodes. */
type Attempt<T> = Written<T> | { readonly movedTo: string } | "again";

/** Milliseconds in which refusals are followed; a slot that is being moved is whole again in far less. */
const FOLLOW_FOR = 600;
/** Milliseconds until a node is asked again that has only some of an act's keys. */
const TRY_AGAIN = 50;
const MAX_REDIRECTIONS = 5;
const SLOTS = 16_384;
/** Milliseconds that a fence lives. */
const FENCE_TTL = 1_000;

/** Some keys that lie on a node, and not in the slot of `key`. */
function fences(cluster: Cluster, node: Redis, key: string): string[] {
  const prefix = cluster.options.keyPrefix ?? "";
  const left = slotOf(prefix + key);
  const first = randomInt(SLOTS);
  const found: string[] = [];
  for (let step = 0; step < SLOTS && found.length < MAX_REDIRECTIONS; step++) {
    const fence = fenceKey(first + step);
    if (slotOf(prefix + fence) === left || cluster.slots[slotOf(prefix + fence)]?.[0] !== nodeName(node))
      continue;
    found.push(fence);
  }
  return found;
}

/**
 * The wait pool of a Cluster: a small pool for each node, and an act goes to the node that has its
 * key's slot, together with its WAIT. What a node refuses because of where it went (MOVED, ASK,
 * TRYAGAIN) has not been done and is sent again, for a bounded time. All else fails at once: a node
 * that went away may have done it.
 */
export function createClusterWaitPool(
  cluster: Cluster,
  scripts: readonly Script[],
  options: WaitOptions,
): Writer<Redis> {
  const { replicas, timeout } = options;
  const pools = new Map<string, LeasePool>();
  let closed = false;

  function open(node: string): Redis {
    const known = cluster.nodes().find((connection) => nodeName(connection) === node);
    const colon = node.lastIndexOf(":");
    const nodeOptions: Omit<RedisOptions, "replyMapping"> = {
      ...(known?.options ?? cluster.options.redisOptions),
      ...waitingOptions(timeout),
      host: node.slice(0, colon),
      port: Number(node.slice(colon + 1)),
      keyPrefix: cluster.options.keyPrefix ?? "",
      connectTimeout: PATIENCE,
      readOnly: false,
      enableOfflineQueue: false,
      // A connection that broke is not mended: the next act takes a new one, perhaps to another node.
      retryStrategy: null,
      reconnectOnError: null,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
    };
    const connection = new Redis(nodeOptions);
    connection.on("error", () => {}); // its commands fail, and say so
    defineScripts(connection, scripts);
    return connection;
  }

  function poolOf(node: string): LeasePool {
    const known = pools.get(node);
    if (known) return known;
    if (closed) throw new StoreUnavailableError();
    const pool = createLeasePool({ open: () => open(node), size: POOL_SIZE, patience: turnTime(timeout) });
    pools.set(node, pool);
    return pool;
  }

  function drop(node: Redis): void {
    const name = nodeName(node);
    pools.get(name)?.retire();
    pools.delete(name);
  }
  cluster.on("-node", drop);

  /** As clients reach it. */
  function nameOf({ host, port }: NodeAddress, answering: Redis): string {
    const name = `${host === "" ? answering.options.host : host}:${port}`;
    const { natMap } = cluster.options;
    const mapped = typeof natMap === "function" ? natMap(name) : natMap?.[name];
    return mapped ? `${mapped.host}:${mapped.port}` : name;
  }

  /** Too few, as well as a broken connection, may mean that the node has been replaced. */
  function lookAgain(): void {
    if (cluster.status === "ready") cluster.refreshSlotsCache();
  }

  async function confirm(connection: Redis): Promise<boolean> {
    if ((await countReplicas(connection, options)) >= replicas) return true;
    connection.disconnect();
    lookAgain();
    return false;
  }

  /**
   * Whether the replicas of a node that a slot is leaving know that it has given its keys away. Were
   * one of them promoted before it does, it would have the slot, and each secret as it was before it
   * left: sealed, though somebody has opened it at the other node. The node's own DEL can't be waited
   * for, but what is written behind it can.
   */
  async function isFenced(source: Redis, key: string): Promise<boolean> {
    for (const fence of fences(cluster, source, key)) {
      try {
        await source.set(fence, "", "PX", FENCE_TTL);
        return await confirm(source);
      } catch (error) {
        // Another slot that is leaving.
        if (!parseRedirection(error)) return false;
      }
    }
    return false;
  }

  /**
   * On a connection of its own: ASKING counts for the one command behind it, and on a connection that
   * is new, ioredis sends a script's text. Its digest might be answered with NOSCRIPT, and what then
   * follows would have no ASKING before it.
   */
  async function runAsking<T>(
    node: string,
    source: Redis,
    key: string,
    act: (client: Redis) => Promise<T>,
  ): Promise<Attempt<T>> {
    const connection = open(node);
    try {
      await connection.connect();
      connection.asking().catch(() => {}); // then the act fails as well
      const value = await act(connection);
      const confirmed = await Promise.all([confirm(connection), isFenced(source, key)]);
      return { value, replicated: confirmed.every(Boolean) };
    } catch (error) {
      // Whatever it is, the slot's owner knows more by now.
      if (parseRedirection(error)) return "again";
      throw error;
    } finally {
      connection.disconnect();
    }
  }

  async function tryAt<T>(
    node: string,
    key: string,
    act: (client: Redis) => Promise<T>,
  ): Promise<Attempt<T>> {
    return poolOf(node).lease(async (connection) => {
      try {
        const value = await act(connection);
        return { value, replicated: await confirm(connection) };
      } catch (error) {
        const redirection = parseRedirection(error);
        if (!redirection) throw error;
        if (redirection.kind === "again") return "again";
        const other = nameOf(redirection.node, connection);
        return redirection.kind === "ask" ? runAsking(other, connection, key, act) : { movedTo: other };
      }
    });
  }

  async function follow<T>(key: string, act: (client: Redis) => Promise<T>): Promise<Written<T>> {
    const until = performance.now() + FOLLOW_FOR;
    let node = nodeNameFor(cluster, key);
    for (let redirections = 0; ; ) {
      const attempt = await tryAt(node, key, act);
      if (attempt !== "again" && "value" in attempt) return attempt;
      if (attempt === "again") {
        if (performance.now() > until) break;
        await pause(TRY_AGAIN);
        node = nodeNameFor(cluster, key);
      } else {
        if (++redirections > MAX_REDIRECTIONS || performance.now() > until) break;
        node = attempt.movedTo;
        lookAgain();
      }
    }
    throw new StoreUnavailableError({ cause: new Error("The key's slot is being moved to another node.") });
  }

  return {
    async run(key, act) {
      const work = follow(key, act).catch((error: unknown) => {
        lookAgain();
        throw storeError(error);
      });
      return inTime(options, work);
    },
    close() {
      closed = true;
      cluster.off("-node", drop);
      for (const pool of pools.values()) pool.close();
    },
  };
}
