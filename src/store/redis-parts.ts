import type { Cluster, Redis } from "ioredis";
import type { SecretId } from "../envelope/tokens.ts";
import type { Keyring } from "./keyring.ts";
import type { Admission } from "./redis-admission.ts";
import { releaseUpload } from "./redis-budget.ts";
import type { DueIndex } from "./redis-due.ts";
import { ask } from "./redis-faults.ts";
import { blobKey, blockKey, recordKey } from "./redis-keys.ts";
import { parseRecord, type StoredRecord } from "./redis-record.ts";
import { ended, kindOf, MISSING, number, quietly } from "./redis-replies.ts";
import type { Ended, Missing, StoreLimits, UploadLimits } from "./store.ts";
import type { UploadRooms } from "./upload-rooms.ts";
import type { Writer } from "./wait-pool.ts";
import type { Withdrawals } from "./withdrawals.ts";

/** What the acts of the Redis store work with. */
export interface RedisParts {
  readonly client: Redis | Cluster;
  readonly keyring: Keyring;
  readonly writer: Writer<Redis | Cluster>;
  /** For new shares. */
  readonly shareWriter: Writer<Redis | Cluster>;
  /** Whether the shares are in another Redis than the records. */
  readonly hasKeyring: boolean;
  readonly due: DueIndex;
  readonly withdrawals: Withdrawals;
  readonly admission: Admission;
  readonly rooms: UploadRooms;
  readonly limits: StoreLimits;
  readonly uploads: UploadLimits;
  /** Milliseconds. */
  readonly retention: number;
}

/** Milliseconds before its end in which a missing share means "expired" and not "lost". */
const EXPIRY_GRACE = 5_000;
/** For `loseSecret`: it was not won. */
export const NO_ATTEMPT = "";

export async function loadRecord({ client }: RedisParts, id: SecretId): Promise<StoredRecord | undefined> {
  const reply = await ask(client.waxsealReadRecordBuffer(recordKey(id), blobKey(id)));
  return reply ? parseRecord(id, reply) : undefined;
}

/** How many blocks the scripts free themselves. They know the same number. */
const FREED_AT_ONCE = 64;

/**
 * Frees blocks that have no time left anyway, as many at a time as hold up nobody. Redis' own expiry
 * does the same a little later.
 */
export async function freeBlocks(
  { client }: RedisParts,
  id: SecretId,
  count: number,
  from = FREED_AT_ONCE,
): Promise<void> {
  for (let first = from; first < count; first += FREED_AT_ONCE) {
    const length = Math.min(FREED_AT_ONCE, count - first);
    await quietly(client.unlink(Array.from({ length }, (_, index) => blockKey(id, first + index))));
  }
}

/** Gives blocks no longer than this, as many at a time as hold up nobody. */
export async function limitBlocks(
  { client }: RedisParts,
  id: SecretId,
  count: number,
  milliseconds: number,
): Promise<void> {
  for (let first = 0; first < count; first += FREED_AT_ONCE) {
    const length = Math.min(FREED_AT_ONCE, count - first);
    const some = Array.from({ length }, (_, index) => blockKey(id, first + index));
    await quietly(...some.map((key) => client.pexpire(key, milliseconds)));
  }
}

/**
 * Writes down that the content is gone, at the end of `connection`. lose-secret.lua says when this may be
 * called.
 */
export async function loseSecret(
  parts: RedisParts,
  id: SecretId,
  shareName: string,
  attempt: Buffer | typeof NO_ATTEMPT,
  connection: Redis | Cluster = parts.client,
): Promise<Ended | Missing> {
  const { due, keyring, retention } = parts;
  due.hasten(id);
  const reply = await ask(
    connection.waxsealLoseSecretBuffer(recordKey(id), blobKey(id), attempt, retention, EXPIRY_GRACE),
  );
  if (kindOf(reply) === "missing") return MISSING;
  const result = ended(reply[1], reply[2]);
  parts.rooms.end(id);
  await quietly(
    keyring.drop(id, shareName),
    releaseUpload(parts, id, shareName),
    freeBlocks(parts, id, number(reply[3])),
  );
  // An expired one stays in the index, to be collected and reported.
  if (result.state !== "expired") await quietly(due.leave(id));
  return result;
}
