import { randomBytes } from "node:crypto";
import type { SecretId } from "../envelope/tokens.ts";
import { digestBody, sameDigest } from "./digests.ts";
import { releaseUpload } from "./redis-budget.ts";
import { ask } from "./redis-faults.ts";
import { blobKey, DUE_KEY, recordKey } from "./redis-keys.ts";
import type { RedisParts } from "./redis-parts.ts";
import { parseRecord } from "./redis-record.ts";
import { asBuffer, kindOf, number, quietly, text } from "./redis-replies.ts";
import type { ScriptReply } from "./redis-scripts.ts";
import { beginUpload } from "./redis-upload.ts";
import { type CreateResult, type NewSecret, StoreFullError } from "./store.ts";
import { tooFewReplicas, type Written } from "./wait-pool.ts";

/**
 * Due index, share, record with ciphertext: in this order, so that a record is never without the
 * two others. What a process that dies in between leaves behind is a share that nothing names, which
 * Redis deletes at the end of its time to live, and an entry that the next sweep removes.
 */
async function write(parts: RedisParts, secret: NewSecret, shareName: string): Promise<Written<ScriptReply>> {
  const { id, blob } = secret;
  if (!blob) return beginUpload(parts, secret, shareName);
  const ttl = secret.ttl * 1000;
  await ask(parts.client.waxsealScheduleExpiryBuffer(DUE_KEY, id, ttl));
  await parts.keyring.put(id, shareName, secret.share, ttl);
  return parts.writer.run((connection) =>
    connection.waxsealCreateSecretBuffer(
      recordKey(id),
      blobKey(id),
      asBuffer(secret.linkHash),
      asBuffer(secret.accessHash),
      asBuffer(secret.receiptHash),
      digestBody(secret),
      shareName,
      asBuffer(blob),
      ttl,
      parts.retention,
      secret.passphrase ? "1" : "0",
    ),
  );
}

/** After a create that was refused for certain. */
async function cleanUp(parts: RedisParts, id: SecretId, shareName: string): Promise<void> {
  const { client, keyring } = parts;
  const unschedule = async () => {
    if ((await client.exists(recordKey(id))) === 0) await client.zrem(DUE_KEY, id);
  };
  await quietly(keyring.drop(id, shareName), releaseUpload(parts, id, shareName), unschedule());
}

/** A full Redis can still tell a create that it has done before. */
async function findExisting(parts: RedisParts, secret: NewSecret): Promise<CreateResult | undefined> {
  const { id } = secret;
  const { value: reply, replicated } = await parts.writer.run((connection) =>
    connection.waxsealReadRecordBuffer(recordKey(id), blobKey(id)),
  );
  const stored = reply ? parseRecord(id, reply) : undefined;
  if (!stored || !sameDigest(stored.body, digestBody(secret))) return undefined;
  if (!replicated) throw tooFewReplicas();
  const { createdAt, expiresAt } = stored.facts;
  return { kind: "created", existed: true, createdAt, expiresAt };
}

export async function createSecret(parts: RedisParts, secret: NewSecret): Promise<CreateResult> {
  const { id } = secret;
  const shareName = randomBytes(8).toString("base64url");
  let written: Written<ScriptReply>;
  try {
    written = await write(parts, secret, shareName);
  } catch (error) {
    // A full Redis said no. Where Redis went away instead, the record may be there all the same, and
    // then it needs its share.
    if (!(error instanceof StoreFullError)) throw error;
    await cleanUp(parts, id, shareName);
    const existing = await findExisting(parts, secret);
    if (existing) return existing;
    throw error;
  }
  const { value: reply, replicated } = written;
  const created = text(reply[0]) === "created";
  if (!created) await quietly(parts.keyring.drop(id, shareName), releaseUpload(parts, id, shareName));
  if (kindOf(reply) === "conflict") return { kind: "conflict" };
  if (!replicated) {
    if (created) {
      await quietly(parts.client.waxsealDiscardSecretBuffer(recordKey(id), blobKey(id), shareName));
      await cleanUp(parts, id, shareName);
    }
    throw tooFewReplicas();
  }
  return { kind: "created", existed: !created, createdAt: number(reply[1]), expiresAt: number(reply[2]) };
}
