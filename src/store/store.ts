import type { Ciphertext, ClaimToken, Digest, SecretId, Share, TtlSeconds } from "../envelope/tokens.ts";

/** `locked` is not an end: the receipt's holder can unlock it. */
export type LiveState = "sealed" | "locked";
/** `lost` is said where the store itself lost the bytes. */
export type EndState = "opened" | "expired" | "deleted" | "lost";
export type SecretState = LiveState | EndState;

export type EventKind = "sealed" | "wrong-passphrase" | "locked" | "unlocked" | "received" | EndState;

/** Times are milliseconds since 1970 by the store's own clock. */
export interface SecretEvent {
  readonly at: number;
  readonly kind: EventKind;
}

export interface NewSecret {
  readonly id: SecretId;
  readonly linkHash: Digest;
  readonly accessHash: Digest;
  readonly receiptHash: Digest;
  readonly share: Share;
  readonly blob: Ciphertext;
  readonly ttl: TtlSeconds;
  readonly passphrase: boolean;
}

/** What is remembered of a secret; never its content, and nothing that could open it. */
export interface SecretRecord {
  readonly id: SecretId;
  readonly linkHash: Digest;
  readonly receiptHash: Digest;
  readonly state: SecretState;
  readonly passphrase: boolean;
  /** The blob's length in bytes. */
  readonly size: number;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly endedAt?: number;
  readonly triesLeft: number;
  /** Oldest first. */
  readonly events: readonly SecretEvent[];
}

export interface Ended {
  readonly kind: "ended";
  readonly state: EndState;
  readonly endedAt: number;
}
export interface Missing {
  readonly kind: "missing";
}

/** `existed`: an identical secret was there already, so this was a retry. */
export type CreateResult =
  | {
      readonly kind: "created";
      readonly existed: boolean;
      readonly createdAt: number;
      readonly expiresAt: number;
    }
  | { readonly kind: "conflict" };

export interface OpenRequest {
  readonly id: SecretId;
  readonly linkHash: Digest;
  readonly accessHash: Digest;
  /** Without one, nothing can be fetched again, and the ciphertext goes with the share. */
  readonly claim?: ClaimToken;
}

/** `first`: this call opened it; false where the same claim came again within the window. */
export type OpenResult =
  | { readonly kind: "handed-over"; readonly share: Share; readonly first: boolean }
  | { readonly kind: "wrong-passphrase"; readonly triesLeft: number }
  | { readonly kind: "locked" }
  | Ended
  | Missing;

/** `refused`: the secret was not handed over to this claim. */
export type AckResult = { readonly kind: "acknowledged" } | { readonly kind: "refused" } | Missing;

/** `first`: this call deleted it. */
export type DeleteResult =
  | { readonly kind: "deleted"; readonly first: boolean; readonly endedAt: number }
  | Ended
  | Missing;

export type UnlockResult = { readonly kind: "unlocked"; readonly triesLeft: number } | Ended | Missing;

/** How full it is where secrets are kept; bytes. */
export interface StoreMemory {
  readonly place: "embedded" | "redis" | "keyring";
  /** Of a Redis Cluster, `host:port`; else "". */
  readonly node: string;
  readonly used: number;
  /** From here on new secrets are refused. Undefined where nobody has set a limit. */
  readonly budget: number | undefined;
}

/** What a store must be told once, at construction. */
export interface StoreLimits {
  /** Seconds that an end state outlives its secret. */
  readonly retention: number;
  /** Wrong passphrases until a secret is locked. */
  readonly passphraseTries: number;
  /** Seconds in which the same claim may fetch the share again; 0 is never. */
  readonly redeliveryWindow: number;
  /** Seconds; a longer time to live is a programming error and throws. */
  readonly maxTtl: number;
}

/**
 * Keeps opaque bytes, hands the share over exactly once and remembers what became of each secret.
 * Expected outcomes are results; only broken systems throw: `StoreUnavailableError` (try again),
 * `StoreFullError` (nothing was kept), `StorePreconditionError` (at `check`).
 *
 * Every act is atomic and idempotent: a call whose answer was lost may be made again.
 */
export interface Store {
  /**
   * For start-up. Fails with what to set where the backend can't keep this interface's promises;
   * resolves with warnings, one sentence each, where it can but an operator should know something.
   */
  check(): Promise<readonly string[]>;
  /** Resolves when the backend answers. For readiness. */
  ping(): Promise<void>;
  /** Set if absent. */
  create(secret: NewSecret): Promise<CreateResult>;
  /** The record as of now: a secret past its time reads as expired. Uses nothing up. */
  read(id: SecretId): Promise<SecretRecord | undefined>;
  /** The ciphertext while it is there: until the end, or through the redelivery window. Uses nothing up. */
  readBlob(id: SecretId): Promise<Ciphertext | undefined>;
  /**
   * Checks both digests, counts a wrong passphrase, and hands the share over to one claim. The caller
   * overwrites the share when it has passed it on. Where this throws, a claimant may ask again.
   */
  open(request: OpenRequest): Promise<OpenResult>;
  /** The claimant has what it needs: destroys share and ciphertext. */
  acknowledge(id: SecretId, claim: ClaimToken): Promise<AckResult>;
  /** The sender's: destroys share and ciphertext, whatever the state; an earlier end state stays. */
  delete(id: SecretId): Promise<DeleteResult>;
  /** The sender's: gives all tries back. */
  unlock(id: SecretId): Promise<UnlockResult>;
  /**
   * Secrets that ran out unopened since the last call, each reported once across all replicas.
   * Expiry itself does not wait for this: it is for the log and the counters.
   */
  collectExpired(): Promise<SecretId[]>;
  /** How many secrets are sealed or locked now; an expired one may count until it is collected. */
  countPending(): Promise<number>;
  memory(): Promise<readonly StoreMemory[]>;
  close(): Promise<void>;
}

export class StoreUnavailableError extends Error {
  override readonly name = "StoreUnavailableError";
  readonly code = "unavailable";
  /** Seconds. */
  readonly retryAfter = 2;
  constructor(options?: ErrorOptions) {
    super(
      "The store does not answer. Nothing was changed that you can't repeat; try again shortly.",
      options,
    );
  }
}

export class StoreFullError extends Error {
  override readonly name = "StoreFullError";
  readonly code = "full";
  constructor() {
    super("The store is full. Nothing was saved; try again when other secrets have been opened or expired.");
  }
}

/** The message says what is wrong with the backend and what to set. */
export class StorePreconditionError extends Error {
  override readonly name = "StorePreconditionError";
  readonly code = "precondition";
}

/** A last line of defence behind `parseTtl`: no arithmetic slip may make a secret live for ever. */
export function assertTtl(ttl: number, maxTtl: number): void {
  if (!Number.isInteger(ttl) || ttl < 1 || ttl > maxTtl) {
    throw new RangeError(`A time to live is a whole number of seconds from 1 to ${maxTtl}, not ${ttl}.`);
  }
}
