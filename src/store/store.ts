import type { Ciphertext, ClaimToken, Digest, SecretId, Share, TtlSeconds } from "../envelope/tokens.ts";

/** `locked` is not an end: the receipt's holder can unlock it. */
export type LiveState = "sealed" | "locked";
/** `lost` is said where the store itself lost the bytes. */
export type EndState = "opened" | "expired" | "deleted" | "lost";
/** `uploading`: parts of its blob are still to come. Nobody can open it yet. */
export type SecretState = "uploading" | LiveState | EndState;

/** By which of its sender's rules an attempt to open a secret was refused. */
export type RefusalReason = "network" | "country" | "not-yet" | "hours";
/** What is noted without changing anything: somebody with the link looked, or was refused. */
export type NoteKind = "visited" | `refused-${RefusalReason}`;
export type EventKind =
  | "sealed"
  | "wrong-passphrase"
  | "locked"
  | "unlocked"
  | "received"
  | NoteKind
  | EndState;

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
  /** The blob's length in bytes. */
  readonly size: number;
  /** Absent: it follows in pieces, by `writeBlob`, and `sealUpload` ends that. */
  readonly blob?: Ciphertext;
  readonly ttl: TtlSeconds;
  readonly passphrase: boolean;
  /** Who may open it, as whoever asks here understands it: from 1 to `MAX_RULES_BYTES` bytes of UTF-8. */
  readonly rules?: string;
  /** Who is told what becomes of it, likewise: from 1 to `MAX_SENDER_BYTES` bytes of UTF-8. */
  readonly sender?: string;
}

/** Bytes from `start` up to, and without, `end`. */
export interface ByteSpan {
  readonly start: number;
  readonly end: number;
}

/** How far an upload has come. */
export interface UploadProgress {
  /** Bytes that are held. */
  readonly received: number;
  /** In order, without touching each other; empty when all is there and only `sealUpload` is due. */
  readonly missing: readonly ByteSpan[];
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
  /** While it is uploading: when the upload is given up unless another byte arrives. */
  readonly expiresAt: number;
  readonly endedAt?: number;
  readonly triesLeft: number;
  /** Oldest first; empty while it is uploading. An upload that was given up never says `sealed`. */
  readonly events: readonly SecretEvent[];
  readonly rules?: string;
  /** Goes once its end has been told (see `collectExpired`), and with an upload that comes to nothing. */
  readonly sender?: string;
  /** While the state is `uploading`, and only then. */
  readonly upload?: UploadProgress;
}

export interface Ended {
  readonly kind: "ended";
  readonly state: EndState;
  readonly endedAt: number;
}
export interface Missing {
  readonly kind: "missing";
}

/**
 * `existed`: an identical secret was there already, so this was a retry. `expiresAt` is as in the
 * record: of an upload it says when that is given up.
 */
export type CreateResult =
  | {
      readonly kind: "created";
      readonly existed: boolean;
      readonly createdAt: number;
      readonly expiresAt: number;
    }
  | { readonly kind: "conflict" };

/**
 * `written`: it is held, perhaps since an earlier call; `complete`: nothing is missing, so call
 * `sealUpload`. `sealed`: the upload has ended well before, nothing was changed. `scattered`: nothing
 * was kept, for the bytes held would lie in more than `MAX_HELD_SPANS` separate spans.
 */
export type WriteResult =
  | {
      readonly kind: "written";
      readonly received: number;
      readonly complete: boolean;
      readonly expiresAt: number;
    }
  | { readonly kind: "sealed"; readonly expiresAt: number }
  | { readonly kind: "scattered" }
  | Ended
  | Missing;

/** `first`: this call sealed it, and its time to live began. */
export type SealResult =
  | {
      readonly kind: "sealed";
      readonly first: boolean;
      readonly createdAt: number;
      readonly expiresAt: number;
    }
  | { readonly kind: "incomplete" }
  | Ended
  | Missing;

export interface OpenRequest {
  readonly id: SecretId;
  readonly linkHash: Digest;
  readonly accessHash: Digest;
  /** Without one, nothing can be fetched again, and the ciphertext goes with the share. */
  readonly claim?: ClaimToken;
  /**
   * Whoever asks has seen that it was opened: only the claim that has it gets it. Where it is sealed
   * again by now, since that claim was taken back, nothing is used up and `StoreUnavailableError` says
   * to look and ask again.
   */
  readonly again?: boolean;
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

/** `first`: this call deleted it. `wasSealed`: it was a secret by then, and no unfinished upload. */
export type DeleteResult =
  | {
      readonly kind: "deleted";
      readonly first: boolean;
      readonly wasSealed: boolean;
      readonly endedAt: number;
    }
  | Ended
  | Missing;

/** `quiet`: there is one of its kind that is young enough, so nothing was written. */
export type NoteResult = { readonly kind: "noted" } | { readonly kind: "quiet" } | Ended | Missing;

export type UnlockResult = { readonly kind: "unlocked"; readonly triesLeft: number } | Ended | Missing;

/**
 * The longest piece that `writeBlob` takes, in bytes, and the grid by which blobs are kept: a caller
 * that sends pieces which start and end at multiples of it saves work, others are as right. A Redis
 * string of this length fills one of jemalloc's size classes (512 KiB), so that hardly a byte is lost.
 */
export const BLOB_BLOCK = 524_288 - 64;
/** The longest range that `readBlob` gives, in bytes. */
export const MAX_READ = 2 * BLOB_BLOCK;
/** Into how many separate spans the bytes held by one upload may fall. */
export const MAX_HELD_SPANS = 64;

export const MAX_RULES_BYTES = 4_096;
export const MAX_SENDER_BYTES = 1_024;

export interface UploadLimits {
  /** Seconds from the last byte that arrived until an upload is given up. */
  readonly idle: number;
  /** Seconds from the create until it is given up in any case. */
  readonly longest: number;
  /** Bytes that all unfinished uploads of all replicas together may have declared. */
  readonly maxBytes: number;
}

export const UPLOAD_LIMITS: UploadLimits = { idle: 1_800, longest: 86_400, maxBytes: 2 ** 30 };

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
  /** `UPLOAD_LIMITS` by default. */
  readonly uploads?: UploadLimits;
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
  /**
   * Set if absent. With the blob it is sealed at once; without, an upload begins, and throws
   * `UploadsFullError` where its size would exceed what all unfinished uploads may declare together.
   */
  create(secret: NewSecret): Promise<CreateResult>;
  /**
   * One piece of an upload's blob, of at most `BLOB_BLOCK` bytes, for the place `offset`. In any
   * order, overlapping, repeated and at the same time: the first bytes that were stored for a place
   * stay. The caller may use `bytes` again when this has resolved. RangeError for a piece that is too
   * long or lies outside of the blob.
   */
  writeBlob(id: SecretId, offset: number, bytes: Uint8Array): Promise<WriteResult>;
  /** When all bytes are there: the secret is sealed and its time to live begins. */
  sealUpload(id: SecretId): Promise<SealResult>;
  /** The record as of now: a secret past its time reads as expired. Uses nothing up. */
  read(id: SecretId): Promise<SecretRecord | undefined>;
  /**
   * A range of the ciphertext, `end` not included, while it is there: from the seal until the end,
   * or through the redelivery window. Undefined where it isn't there or not that long; RangeError for
   * an empty range and for more than `MAX_READ` bytes. Uses nothing up.
   */
  readBlob(id: SecretId, start: number, end: number): Promise<Ciphertext | undefined>;
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
   * Notes an event that changes no state, unless one of its kind is younger than `quiet` milliseconds.
   * Notes have a bound of their own (`MAX_NOTES` in record.ts): the oldest note makes room, and no
   * other event does. Of an upload there is nothing to note: missing.
   */
  note(id: SecretId, kind: NoteKind, quiet: number): Promise<NoteResult>;
  /**
   * Secrets that ran out unopened since the last call, each reported once across all replicas.
   * Expiry itself does not wait for this: it is for the log and the counters.
   *
   * With `followEnds`, `beforeForget` is called for each secret that has ended in whatever way and is
   * due for a look, and for those that live and to which something may have happened; at most
   * `TOLD_AT_ONCE` at a time, perhaps more than once and on several replicas. When it has resolved
   * for one that ended, the record's `sender` is removed and nothing is said of it any more; where it
   * rejects, it is called again some seconds later. A rejection is passed on where nothing expired.
   */
  collectExpired(beforeForget?: (id: SecretId) => Promise<void>): Promise<SecretId[]>;
  /** The same for uploads that were given up: they were never sealed, so `collectExpired` says nothing of them. */
  collectAbandoned(): Promise<SecretId[]>;
  /**
   * How many secrets are sealed or locked now, uploads not among them. One that has ended may count
   * until it is collected: an expired one, and with `followEnds` any.
   */
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
  override readonly name: string = "StoreFullError";
  readonly code = "full";
  constructor(
    message = "The store is full. Nothing was saved; try again when other secrets have been opened or expired.",
  ) {
    super(message);
  }
}

/** There may be room, but not for one more unfinished upload of this size. */
export class UploadsFullError extends StoreFullError {
  override readonly name = "UploadsFullError";
  /** Seconds. */
  readonly retryAfter = 60;
  constructor() {
    super("Too many large secrets are being sent at this moment. Nothing was saved; try again in a minute.");
  }
}

/** The message says what is wrong with the backend and what to set. */
export class StorePreconditionError extends Error {
  override readonly name = "StorePreconditionError";
  readonly code = "precondition";
}

/** A caller that miscounts must not be able to store a blob that nobody can read. */
export function assertSize({ size, blob }: Pick<NewSecret, "size" | "blob">): void {
  if (Number.isSafeInteger(size) && size >= 0 && (blob === undefined || blob.length === size)) return;
  throw new RangeError(`A blob's size is its length in bytes, not ${size}.`);
}

/** Nobody parses these two here, so all that can go wrong is their length. */
export function assertAttachments({ rules, sender }: Pick<NewSecret, "rules" | "sender">): void {
  for (const [what, text, most] of [
    ["Rules", rules, MAX_RULES_BYTES],
    ["A sender", sender, MAX_SENDER_BYTES],
  ] as const) {
    if (text === undefined) continue;
    const length = Buffer.byteLength(text);
    if (length < 1 || length > most) throw new RangeError(`${what}: from 1 to ${most} bytes, not ${length}.`);
  }
}

export function assertPiece(offset: number, { length }: Uint8Array, size: number): void {
  if (length > BLOB_BLOCK) throw new RangeError(`A piece has at most ${BLOB_BLOCK} bytes, not ${length}.`);
  if (Number.isSafeInteger(offset) && offset >= 0 && offset + length <= size) return;
  throw new RangeError(`A piece of ${length} bytes at ${offset} is not inside of a blob of ${size}.`);
}

export function assertReadable(start: number, end: number): void {
  if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start < end) {
    if (end - start <= MAX_READ) return;
  }
  throw new RangeError(`A range has from 1 to ${MAX_READ} bytes, not ${start} to ${end}.`);
}

/** A last line of defence behind `parseTtl`: no arithmetic slip may make a secret live for ever. */
export function assertTtl(ttl: number, maxTtl: number): void {
  if (!Number.isInteger(ttl) || ttl < 1 || ttl > maxTtl) {
    throw new RangeError(`A time to live is a whole number of seconds from 1 to ${maxTtl}, not ${ttl}.`);
  }
}
