import type { Redis } from "ioredis";
import { ask } from "./redis-faults.ts";
import { StoreUnavailableError } from "./store.ts";

/** Connections that one act at a time has to itself. */
export interface LeasePool {
  /** Runs `act` on a connection that is ready; the connection is free again when `act` has settled. */
  lease<T>(act: (connection: Redis) => Promise<T>): Promise<T>;
  /** Ends what is idle now, and the rest when it is given back. Whoever waits for one gets none. */
  retire(): void;
  /** Ends all of them, whatever is under way. */
  close(): void;
}

export interface LeasePoolOptions {
  /** Makes a connection that is not connected yet. */
  readonly open: () => Redis;
  readonly size: number;
  /** Milliseconds to wait for a free one. */
  readonly patience: number;
}

interface Turn {
  take(connection: Redis): void;
  giveUp(): void;
}

export function createLeasePool({ open, size, patience }: LeasePoolOptions): LeasePool {
  const all = new Set<Redis>();
  const idle: Redis[] = [];
  const queue: Turn[] = [];
  let closed = false;

  function add(): Redis {
    const connection = open();
    all.add(connection);
    return connection;
  }

  function wait(): Promise<Redis> {
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
      const timer = setTimeout(turn.giveUp, patience);
      queue.push(turn);
    });
  }

  async function take(): Promise<Redis> {
    if (closed) throw new StoreUnavailableError();
    return idle.pop() ?? (all.size < size ? add() : wait());
  }

  function giveBack(connection: Redis): void {
    let usable = connection;
    if (closed || connection.status === "end") {
      all.delete(connection);
      connection.disconnect();
      if (closed) return;
      // Whoever is next would wait for nothing.
      if (queue.length === 0) return;
      usable = add();
    }
    const next = queue.shift();
    if (next) next.take(usable);
    else idle.push(usable);
  }

  function retire(): void {
    closed = true;
    for (const turn of [...queue]) turn.giveUp();
    for (const connection of idle.splice(0)) {
      all.delete(connection);
      connection.disconnect();
    }
  }

  return {
    async lease(act) {
      const connection = await take();
      try {
        if (connection.status === "wait") await ask(connection.connect());
        return await act(connection);
      } finally {
        giveBack(connection);
      }
    },
    retire,
    close() {
      retire();
      for (const connection of all) connection.disconnect();
    },
  };
}
