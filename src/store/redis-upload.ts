import { randomBytes } from "node:crypto";
import type { Cluster, Redis } from "ioredis";
import type { SecretId } from "../envelope/tokens.ts";
import type { DigestedSecret } from "./digests.ts";
import { progressOf } from "./held-spans.ts";
import { createKeyring } from "./keyring.ts";
import { releaseUpload } from "./redis-budget.ts";
import { ask } from "./redis-faults.ts";
import { blobKey, DUE_KEY, recordKey, shareKey } from "./redis-keys.ts";
import { loadRecord, loseSecret, NO_ATTEMPT, type RedisParts } from "./redis-parts.ts";
import { asBuffer, ended, kindOf, MISSING, number, quietly, text } from "./redis-replies.ts";
import type { ScriptReply } from "./redis-scripts.ts";
import { assertPiece, BLOB_BLOCK, MAX_HELD_SPANS, type SealResult, type WriteResult } from "./store.ts";
import { tooFewReplicas } from "./wait-pool.ts";

/** Milliseconds that a share outlives the longest upload: a missing one always means that it was lost. */
const SHARE_MARGIN = 60_000;

/** Milliseconds that an upload's share has to live until the seal. */
export const shareLife = ({ uploads }: Pick<RedisParts, "uploads">) => uploads.longest * 1000 + SHARE_MARGIN;

/** Writes the record. See redis-create.ts for what comes before. */
export function beginUpload(
  { uploads, retention }: RedisParts,
  secret: DigestedSecret,
  shareName: string,
  connection: Redis | Cluster,
): Promise<ScriptReply> {
  return connection.waxsealBeginUploadBuffer(
    recordKey(secret.id),
    asBuffer(secret.linkHash),
    asBuffer(secret.accessHash),
    asBuffer(secret.receiptHash),
    secret.bodyDigest,
    shareName,
    secret.size,
    BLOB_BLOCK,
    secret.ttl * 1000,
    uploads.idle * 1000,
    uploads.longest * 1000,
    retention,
    secret.passphrase ? "1" : "0",
    secret.rules ?? "",
    secret.sender ?? "",
  );
}

/** Replicas are waited for once, by the seal: what it waits for comes after every piece. */
async function writePiece(
  { client, uploads, retention }: RedisParts,
  id: SecretId,
  offset: number,
  bytes: Uint8Array,
): Promise<WriteResult> {
  const reply = await ask(
    client.waxsealWriteBlockBuffer(
      recordKey(id),
      blobKey(id),
      offset,
      asBuffer(bytes),
      uploads.idle * 1000,
      uploads.longest * 1000,
      MAX_HELD_SPANS,
      retention,
    ),
  );
  const kind = kindOf(reply);
  if (kind === "missing") return MISSING;
  if (kind === "ended") return ended(reply[1], reply[2]);
  if (kind === "sealed") return { kind, expiresAt: number(reply[1]) };
  if (kind === "scattered") return { kind };
  if (kind === "outside") assertPiece(offset, bytes, number(reply[1]));
  return {
    kind: "written",
    received: number(reply[1]),
    complete: reply[2] === 1,
    expiresAt: number(reply[3]),
  };
}

/**
 * Where the upload was admitted by another process, or by this one before it was started again, its
 * room isn't known here, and each piece is admitted by itself.
 */
export async function writeBlob(
  parts: RedisParts,
  id: SecretId,
  offset: number,
  bytes: Uint8Array,
): Promise<WriteResult> {
  const { admission, rooms } = parts;
  assertPiece(offset, bytes, Number.MAX_SAFE_INTEGER);
  const room = rooms.has(id) ? undefined : await admission.admit(id, bytes.length);
  try {
    const result = await writePiece(parts, id, offset, bytes);
    if (result.kind === "written") rooms.arrived(id, result.received);
    else if (result.kind !== "scattered") rooms.end(id);
    return result;
  } finally {
    room?.landed();
  }
}

/** The caller will be told to try again, so the upload has to be there for that. */
async function takeBack(parts: RedisParts, id: SecretId, attempt: Buffer): Promise<void> {
  const { client, uploads, retention } = parts;
  const command = client.waxsealReopenUploadBuffer(
    recordKey(id),
    blobKey(id),
    attempt,
    uploads.idle * 1000,
    retention,
  );
  const [reopened] = await command.catch(() => [0]);
  if (reopened === 1) await quietly(client.zrem(DUE_KEY, id));
}

/** Where the shares are replicated, what this says must be too: a promoted replica would let the share die. */
async function keepShare(
  { shareWriter }: RedisParts,
  id: SecretId,
  shareName: string,
  life: number,
): Promise<boolean> {
  const { value: isThere, replicated } = await shareWriter.run(shareKey(id, shareName), (connection) =>
    createKeyring(connection).keep(id, shareName, life),
  );
  if (isThere && !replicated) throw tooFewReplicas();
  return isThere;
}

/**
 * Due index, share, record: as for a create, each has its life before the next depends on it, and
 * where the record is sealed, the share is looked for (see `place` in redis-create.ts). Where too few
 * replicas have the seal, nobody is told of it and it is taken back.
 */
export async function sealUpload(parts: RedisParts, id: SecretId): Promise<SealResult> {
  const { client, keyring, hasKeyring, writer, retention } = parts;
  const stored = await loadRecord(parts, id);
  if (!stored) return MISSING;
  const { shareName, facts, ttl = 0 } = stored;
  // Until it is sealed for certain, the share has to live as long as the upload may.
  const life = Math.max(ttl, shareLife(parts));
  if (facts.state === "uploading" && stored.now < facts.expiresAt) {
    if (progressOf(facts.held, facts.size).received < facts.size) return { kind: "incomplete" };
    await ask(client.waxsealScheduleExpiryBuffer(DUE_KEY, id, ttl, "NX"));
    if (!(await keepShare(parts, id, shareName, life))) return loseSecret(parts, id, shareName, NO_ATTEMPT);
  }
  const attempt = randomBytes(16);
  const { value, replicated } = await writer.run(recordKey(id), async (connection) => {
    const [reply, isThere] = await Promise.all([
      connection.waxsealSealUploadBuffer(recordKey(id), blobKey(id), attempt, retention),
      hasKeyring || createKeyring(connection).has(id, shareName),
    ]);
    const isLost = reply[3] === 1 && !isThere;
    return {
      reply,
      lost: isLost ? await loseSecret(parts, id, shareName, NO_ATTEMPT, connection) : undefined,
    };
  });
  const { reply, lost } = value;
  if (lost) return lost;
  const kind = kindOf(reply);
  if (kind === "missing") return MISSING;
  if (kind === "incomplete") return { kind };
  if (kind === "ended") return ended(reply[1], reply[2]);
  if (kind === "damaged") return loseSecret(parts, id, text(reply[1]), NO_ATTEMPT);
  const first = reply[3] === 1;
  if (!replicated) {
    if (first) await takeBack(parts, id, attempt);
    throw tooFewReplicas();
  }
  parts.rooms.end(id);
  if (first) {
    await quietly(
      releaseUpload(parts, id, shareName),
      life > ttl ? keyring.keep(id, shareName, ttl) : Promise.resolve(),
    );
  }
  return { kind: "sealed", first, createdAt: number(reply[1]), expiresAt: number(reply[2]) };
}
