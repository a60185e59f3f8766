import { randomBytes } from "node:crypto";
import type { SecretId } from "../envelope/tokens.ts";
import { digestBody } from "./digests.ts";
import { progressOf } from "./held-spans.ts";
import { releaseUpload, reserveUpload } from "./redis-budget.ts";
import { ask } from "./redis-faults.ts";
import { blobKey, DUE_KEY, recordKey } from "./redis-keys.ts";
import { loadRecord, loseSecret, NO_ATTEMPT, type RedisParts } from "./redis-parts.ts";
import { asBuffer, ended, kindOf, MISSING, number, quietly, text } from "./redis-replies.ts";
import type { ScriptReply } from "./redis-scripts.ts";
import {
  assertPiece,
  BLOB_BLOCK,
  MAX_HELD_SPANS,
  type NewSecret,
  type SealResult,
  type WriteResult,
} from "./store.ts";
import { tooFewReplicas, type Written } from "./wait-pool.ts";

/** Milliseconds that a share outlives the longest upload: a missing one always means that it was lost. */
const SHARE_MARGIN = 60_000;

/** Reservation, share, record: in this order, so that a record is never without the two others. */
export async function beginUpload(
  parts: RedisParts,
  secret: NewSecret,
  shareName: string,
): Promise<Written<ScriptReply>> {
  const { id, size } = secret;
  const [idle, longest] = [parts.uploads.idle * 1000, parts.uploads.longest * 1000];
  await reserveUpload(parts, id, shareName, size);
  await parts.keyring.put(id, shareName, secret.share, longest + SHARE_MARGIN);
  return parts.writer.run((connection) =>
    connection.waxsealBeginUploadBuffer(
      recordKey(id),
      asBuffer(secret.linkHash),
      asBuffer(secret.accessHash),
      asBuffer(secret.receiptHash),
      digestBody(secret),
      shareName,
      size,
      BLOB_BLOCK,
      secret.ttl * 1000,
      idle,
      longest,
      parts.retention,
      secret.passphrase ? "1" : "0",
    ),
  );
}

/** Replicas are waited for once, by the seal: what it waits for comes after every piece. */
export async function writeBlob(
  { client, uploads, retention }: RedisParts,
  id: SecretId,
  offset: number,
  bytes: Uint8Array,
): Promise<WriteResult> {
  assertPiece(offset, bytes, Number.MAX_SAFE_INTEGER);
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

/**
 * Due index, share, record: as for a create, each has its life before the next depends on it. Where
 * too few replicas have the seal, nobody is told of it and it is taken back.
 */
export async function sealUpload(parts: RedisParts, id: SecretId): Promise<SealResult> {
  const { client, keyring, writer, uploads, retention } = parts;
  const stored = await loadRecord(parts, id);
  if (!stored) return MISSING;
  const { shareName, facts, ttl = 0 } = stored;
  // Until it is sealed for certain, the share has to live as long as the upload may.
  const life = Math.max(ttl, uploads.longest * 1000 + SHARE_MARGIN);
  if (facts.state === "uploading" && stored.now < facts.expiresAt) {
    if (progressOf(facts.held, facts.size).received < facts.size) return { kind: "incomplete" };
    await ask(client.waxsealScheduleExpiryBuffer(DUE_KEY, id, ttl));
    if (!(await keyring.keep(id, shareName, life))) return loseSecret(parts, id, shareName, NO_ATTEMPT);
  }
  const attempt = randomBytes(16);
  const { value: reply, replicated } = await writer.run((connection) =>
    connection.waxsealSealUploadBuffer(recordKey(id), blobKey(id), attempt, retention),
  );
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
  if (first) {
    await quietly(
      releaseUpload(parts, id, shareName),
      life > ttl ? keyring.keep(id, shareName, ttl) : Promise.resolve(),
    );
  }
  return { kind: "sealed", first, createdAt: number(reply[1]), expiresAt: number(reply[2]) };
}
