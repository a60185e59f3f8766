import type { Redis } from "ioredis";
import { ask, storeError } from "./redis-faults.ts";
import { defineScripts, type Script } from "./redis-scripts.ts";
import { StoreUnavailableError } from "./store.ts";

export interface Written<T> {
  readonly value: T;
  /** Whether as many replicas as are asked for have what `act` wrote. */
  readonly replicated: boolean;
}

/** Where acts run that must not be forgotten by a failover. */
export interface Writer<Client> {
  run<T>(act: (client: Client) => Promise<T>): Promise<Written<T>>;
  close(): void;
}

/** Without replicas there is nothing to wait for. */
export function createPlainWriter<Client>(client: Client): Writer<Client> {
  return {
    async run(act) {
      return { value: await ask(act(client)), replicated: true };
    },
    close() {},
  };
}

/** Nothing was released. */
export function tooFewReplicas(): StoreUnavailableError {
  return new StoreUnavailableError({ cause: new Error("Too few replicas have confirmed the write.") });
}

const POOL_SIZE = 8;
/** Milliseconds between two new connections for all else: what is under way on the old one fails. */
const ASK_AGAIN = 5_000;

interface Turn {
  take(connection: Redis): void;
  giveUp(): void;
}

/**
 * WAIT holds up its connection, and counts only what that very connection wrote: so each act has a
 * connection to itself until its WAIT is answered, from a small pool beside the one for all else.
 *
 * Act and WAIT can't end up on two different connections: a command is never sent again after a
 * reconnect (see connect-redis.ts), and WAIT leaves in the same turn in which the act's answer came.
 */
export function createWaitPool(
  client: Redis,
  scripts: readonly Script[],
  { replicas, timeout }: { readonly replicas: number; readonly timeout: number },
): Writer<Redis> {
  const all: Redis[] = [];
  const idle: Redis[] = [];
  const queue: Turn[] = [];
  let askedAgain = 0;

  /**
   * Too few replicas may mean that we talk to a master that has been replaced and does not know it.
   * Sentinels know; a new connection asks them.
   */
  function askSentinels(connection: Redis): void {
    if (!client.options.sentinels) return;
    connection.disconnect(true);
    if (Date.now() < askedAgain + ASK_AGAIN) return;
    askedAgain = Date.now();
    client.disconnect(true);
  }

  function open(): Redis {
    const connection = client.duplicate({
      connectionName: "waxseal-wait",
      lazyConnect: true,
      // WAIT answers late on purpose.
      commandTimeout: timeout + 1_000,
      socketTimeout: timeout + 2_000,
    });
    connection.on("error", () => {}); // its commands fail, and say so
    defineScripts(connection, scripts);
    all.push(connection);
    return connection;
  }

  function lease(): Promise<Redis> {
    const connection = idle.pop() ?? (all.length < POOL_SIZE ? open() : undefined);
    if (connection) return Promise.resolve(connection);
    return new Promise((resolve, reject) => {
      const turn: Turn = {
        take(next) {
          clearTimeout(timer);
          resolve(next);
        },
        giveUp() {
          clearTimeout(timer);
          queue.splice(queue.indexOf(turn), 1);
          reject(new StoreUnavailableError());
        },
      };
      const timer = setTimeout(turn.giveUp, timeout + 1_000);
      queue.push(turn);
    });
  }

  function giveBack(connection: Redis): void {
    const next = queue.shift();
    if (next) next.take(connection);
    else idle.push(connection);
  }

  return {
    async run(act) {
      const connection = await lease();
      try {
        if (connection.status === "wait") await ask(connection.connect());
        const value = await ask(act(connection));
        // A master that is demoted meanwhile answers UNBLOCKED: an error, and as good as short.
        const reached = await connection.wait(replicas, timeout).catch(() => 0);
        if (reached < replicas) askSentinels(connection);
        return { value, replicated: reached >= replicas };
      } catch (error) {
        throw storeError(error);
      } finally {
        giveBack(connection);
      }
    },
    close() {
      for (const turn of [...queue]) turn.giveUp();
      for (const connection of all) connection.disconnect();
    },
  };
}
