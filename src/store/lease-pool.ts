import type { Redis } from "ioredis";
import { ask, tookTooLong } from "./redis-faults.ts";
import { StoreUnavailableError } from "./store.ts";
import { within } from "./within.ts";

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
  /** Milliseconds until an act has begun: to wait for a free one that is connected. */
  readonly patience: number;
}

interface Turn {
  take(connection: Redis): void;
  giveUp(): void;
}

/** Ended, or about to: `disconnect` leaves the status as it is until the socket has closed. */
const isOver = ({ status, stream }: Redis) =>
  status === "end" || (status === "ready" && (stream.writableEnded || stream.destroyed));

export function createLeasePool({ open, size, patience }: LeasePoolOptions): LeasePool {
  const all = new Set<Redis>();
  const idle: Redis[] = [];
  const queue: Turn[] = [];
  let closed = false;

  function add(): Redis {
    const connection = open();
    all.add(connection);
    connection.once("end", () => {
      // One that is leased is seen to when it is given back.
      if (idle.includes(connection)) forget(connection);
    });
    return connection;
  }

  function forget(connection: Redis): void {
    all.delete(connection);
    const at = idle.indexOf(connection);
    if (at >= 0) idle.splice(at, 1);
    connection.disconnect();
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
    for (const connection of idle.filter(isOver)) forget(connection);
    const ready = idle.findLastIndex(({ status }) => status === "ready");
    if (ready >= 0) return idle.splice(ready, 1)[0] ?? wait();
    return all.size < size ? add() : (idle.pop() ?? wait());
  }

  function giveBack(connection: Redis): void {
    let usable = connection;
    if (closed || !all.has(connection) || isOver(connection)) {
      forget(connection);
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

  /** One that does not come about in time is nobody's: whoever is next tries another. */
  async function connect(connection: Redis, milliseconds: number): Promise<void> {
    try {
      await ask(within(milliseconds, connection.connect(), tookTooLong));
    } catch (error) {
      forget(connection);
      throw error;
    }
  }

  return {
    async lease(act) {
      const end = performance.now() + patience;
      const connection = await take();
      try {
        if (connection.status === "wait") await connect(connection, end - performance.now());
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
