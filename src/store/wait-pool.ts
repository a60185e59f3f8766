import type { Redis } from "ioredis";
import { createLeasePool } from "./lease-pool.ts";
import { ask, tookTooLong } from "./redis-faults.ts";
import { defineScripts, type Script } from "./redis-scripts.ts";
import { StoreUnavailableError } from "./store.ts";
import { within } from "./within.ts";

export interface Written<T> {
  readonly value: T;
  /** Whether as many replicas as are asked for have what `act` wrote. */
  readonly replicated: boolean;
}

/** Where acts run that must not be forgotten by a failover. */
export interface Writer<Client> {
  /**
   * `key` is one that `act` works on: it says which node of a Cluster is the place. There, `act` is
   * called again where a node has refused what it asked.
   */
  run<T>(key: string, act: (client: Client) => Promise<T>): Promise<Written<T>>;
  close(): void;
}

export interface WaitOptions {
  readonly replicas: number;
  /** Milliseconds that WAIT waits. */
  readonly timeout: number;
}

/** Without replicas there is nothing to wait for. */
export function createPlainWriter<Client>(client: Client): Writer<Client> {
  return {
    async run(_key, act) {
      return { value: await ask(act(client)), replicated: true };
    },
    close() {},
  };
}

/** Nothing was released. */
export function tooFewReplicas(): StoreUnavailableError {
  return new StoreUnavailableError({ cause: new Error("Too few replicas have confirmed the write.") });
}

/** Connections to one node. */
export const POOL_SIZE = 8;
/** Milliseconds for an act besides its WAIT. */
export const PATIENCE = 600;
/**
 * Milliseconds until an act is given up, with the time it waits for its turn: 1.6 s as long as WAIT
 * takes a second at most, which is as much as REDIS_WAIT_TIMEOUT may say. With the counter that was asked
 * before in vain, nobody waits longer than two.
 */
const wholeTime = (timeout: number) => Math.max(1_600, timeout + PATIENCE);
/** Milliseconds until an act has begun: then there is time for it, if perhaps not for the longest WAIT. */
export const turnTime = (timeout: number) => wholeTime(timeout) - PATIENCE;
/** Milliseconds between two new connections for all else: what is under way on the old one fails. */
const ASK_AGAIN = 5_000;

/** How a connection differs that WAIT holds up. */
export function waitingOptions(timeout: number) {
  return {
    connectionName: "waxseal-wait",
    lazyConnect: true,
    // WAIT answers late on purpose.
    commandTimeout: timeout + PATIENCE,
    socketTimeout: timeout + 2 * PATIENCE,
  };
}

/** What comes of an act that may be given up. */
export function inTime<T>({ timeout }: WaitOptions, work: Promise<T>): Promise<T> {
  return ask(within(wholeTime(timeout), work, tookTooLong));
}

/** How many replicas have what this connection wrote. */
export function countReplicas(connection: Redis, { replicas, timeout }: WaitOptions): Promise<number> {
  // A master that is demoted meanwhile answers UNBLOCKED: an error, and as good as short.
  return connection.wait(replicas, timeout).catch(() => 0);
}

/**
 * WAIT holds up its connection, and counts only what that very connection wrote: so each act has a
 * connection to itself until its WAIT is answered, from a small pool beside the one for all else.
 *
 * A client connects anew by itself, and on a fresh connection WAIT has nothing to wait for: it counts
 * every replica at once. A command is never sent again after a reconnect (see redis-options.ts), but an
 * act may go on after its last command here, elsewhere or with nothing but time. So WAIT counts only
 * where the connection is still the one on which the act began.
 */
export function createWaitPool(
  client: Redis,
  scripts: readonly Script[],
  options: WaitOptions,
): Writer<Redis> {
  const { replicas, timeout } = options;
  let askedAgain = 0;

  /**
   * Too few replicas may mean that we talk to a master that has been replaced and does not know it.
   * Sentinels know; a new connection asks them.
   */
  function askSentinels(connection: Redis): void {
    if (!client.options.sentinels) return;
    connection.disconnect(); // the pool opens another
    if (Date.now() < askedAgain + ASK_AGAIN) return;
    askedAgain = Date.now();
    client.disconnect(true);
  }

  function open(): Redis {
    const connection = client.duplicate(waitingOptions(timeout));
    connection.on("error", () => {}); // its commands fail, and say so
    defineScripts(connection, scripts);
    return connection;
  }

  const pool = createLeasePool({ open, size: POOL_SIZE, patience: turnTime(timeout) });
  return {
    run(_key, act) {
      const work = pool.lease(async (connection) => {
        const { stream } = connection;
        const value = await ask(act(connection));
        const reached = connection.stream === stream ? await countReplicas(connection, options) : 0;
        if (reached < replicas) askSentinels(connection);
        return { value, replicated: reached >= replicas };
      });
      return inTime(options, work);
    },
    close: () => pool.close(),
  };
}
