/** What waits to be sent to one destination. */
export interface Delivery {
  /** Idempotency key, stable for an event and a destination. */
  readonly key: string;
  /** The destination's name: `[a-z0-9-]`, at most 40 characters. */
  readonly to: string;
  /** JSON. */
  readonly body: string;
}

/** A delivery that this process tries to make now. */
export interface Taken extends Delivery {
  /** Which entry of the queue it is; another one after `later`. */
  readonly entry: string;
  /** From 1. */
  readonly attempt: number;
  /** When it was added, in milliseconds since 1970 by the clock of who added it. */
  readonly since: number;
}

export interface AddResult {
  /** How many are new. */
  readonly added: number;
  /** Those that were not kept, because their destination's queue is full; their keys are not remembered. */
  readonly refused: readonly Delivery[];
}

export interface OutboxStats {
  /** Waiting or being delivered. */
  readonly queued: number;
  /** Waiting for another attempt. */
  readonly delayed: number;
  /** Dead letters that are still kept, to all destinations together. */
  readonly dead: number;
}

export interface OutboxLimits {
  /** How many deliveries to one destination may wait. */
  readonly maxQueued: number;
  /** Of how many dead letters, roughly, the latest are kept. */
  readonly maxDead: number;
  /** Milliseconds from a take until somebody else may take it: longer than any attempt. */
  readonly idle: number;
  /** Milliseconds for which a key that was added is remembered. */
  readonly remembered: number;
  /** Milliseconds for which a queue to which nothing is added any more is kept, and dead letters likewise. */
  readonly kept: number;
}

const DAY = 86_400_000;
export const OUTBOX_LIMITS: OutboxLimits = {
  maxQueued: 100_000,
  maxDead: 10_000,
  idle: 20_000,
  remembered: 7 * DAY,
  kept: 7 * DAY,
};

/**
 * A durable queue for each destination, as durable as the store it lies in. What was added is taken at
 * least once until it is `done` or buried, whichever process dies; every act may be repeated. Throws as
 * a `Store` does.
 */
export interface Outbox {
  /** Each unless its key was added before, or too much waits for its destination. */
  add(deliveries: readonly Delivery[]): Promise<AddResult>;
  /** Up to `count` that nobody else has at the moment, those first that somebody took and never settled. */
  take(to: string, count: number): Promise<Taken[]>;
  /** It has been delivered. */
  done(taken: Taken): Promise<void>;
  /** Again, `delay` milliseconds from now, as the next attempt, or as the same one where it was not one. */
  later(taken: Taken, delay: number, attempt: number): Promise<void>;
  /** Never again. The reason is for the operator, and holds no address, label or id. */
  bury(taken: Taken, reason: string): Promise<void>;
  stats(to: string): Promise<OutboxStats>;
}
