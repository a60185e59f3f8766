import { randomBytes } from "node:crypto";
import type { Cluster, Redis } from "ioredis";
import type { SecretId } from "../envelope/tokens.ts";
import { digestBody, sameDigest } from "./digests.ts";
import { createKeyring } from "./keyring.ts";
import { ask } from "./redis-faults.ts";
import { blobKey, DUE_KEY, recordKey, shareKey } from "./redis-keys.ts";
import type { RedisParts } from "./redis-parts.ts";
import { parseRecord } from "./redis-record.ts";
import { asBuffer, kindOf, number, quietly, text } from "./redis-replies.ts";
import type { ScriptReply } from "./redis-scripts.ts";
import { type CreateResult, type NewSecret, StoreFullError, StoreUnavailableError } from "./store.ts";
import { tooFewReplicas, type Written } from "./wait-pool.ts";

interface Placed {
  readonly reply: ScriptReply;
  /** Whether the share is where the record is; or was, until somebody opened it. */
  readonly shared: boolean;
}

/** In the records' own Redis the share is not waited for by itself: see `place`. */
async function putShare(
  parts: RedisParts,
  { id, share }: NewSecret,
  name: string,
  ttl: number,
): Promise<void> {
  const { replicated } = await parts.shareWriter.run(shareKey(id, name), (client) =>
    createKeyring(client).put(id, name, share, ttl),
  );
  if (replicated) return;
  await cleanUp(parts, id, name);
  throw tooFewReplicas();
}

/**
 * The share was sent before, and over another connection. Between the two, Redis may have failed over,
 * or the one connection may still lead to a master that has been replaced and the other one not; then
 * the record has no share, and the WAIT behind it would confirm that. So where the record is written,
 * the share is looked for.
 */
async function place(
  { keyring, hasKeyring, retention }: RedisParts,
  secret: NewSecret,
  shareName: string,
  connection: Redis | Cluster,
): Promise<Placed> {
  const { id } = secret;
  const ring = hasKeyring ? keyring : createKeyring(connection);
  const create = connection.waxsealCreateSecretBuffer(
    recordKey(id),
    blobKey(id),
    asBuffer(secret.linkHash),
    asBuffer(secret.accessHash),
    asBuffer(secret.receiptHash),
    digestBody(secret),
    shareName,
    asBuffer(secret.blob),
    secret.ttl * 1000,
    retention,
    secret.passphrase ? "1" : "0",
  );
  const [reply, isThere] = await Promise.all([create, hasKeyring || ring.has(id, shareName)]);
  const existed = text(reply[0]) === "existed";
  const isShared = existed && reply[4] === 1 ? await ring.has(id, text(reply[3])) : isThere;
  if (isShared) return { reply, shared: true };
  // A record without its share goes, here where it was found; the next try writes it anew. Where it
  // does not go, somebody has opened it in this moment.
  const name = existed ? text(reply[3]) : shareName;
  const [removed] = await connection.waxsealDiscardSecretBuffer(recordKey(id), blobKey(id), name, "1");
  return { reply, shared: existed && removed !== 1 };
}

/**
 * Due index, share, record with ciphertext: in this order, so that a record is never without the
 * two others. What a process that dies in between leaves behind is a share that nothing names, which
 * Redis deletes at the end of its time to live, and an entry that the next sweep removes.
 *
 * The index is not waited for: what a failover forgets of it is not reported when it runs out, and
 * runs out all the same.
 */
async function write(parts: RedisParts, secret: NewSecret, shareName: string): Promise<Written<Placed>> {
  const ttl = secret.ttl * 1000;
  await ask(parts.client.waxsealScheduleExpiryBuffer(DUE_KEY, secret.id, ttl, "NX"));
  await putShare(parts, secret, shareName, ttl);
  return parts.writer.run(recordKey(secret.id), (connection) => place(parts, secret, shareName, connection));
}

/** After a create that was refused for certain. */
async function cleanUp({ client, keyring }: RedisParts, id: SecretId, shareName: string): Promise<void> {
  const unschedule = async () => {
    if ((await client.exists(recordKey(id))) === 0) await client.zrem(DUE_KEY, id);
  };
  await quietly(keyring.drop(id, shareName), unschedule());
}

/** Where there is no room for more, what is there already can still be told. */
async function findExisting(parts: RedisParts, secret: NewSecret): Promise<CreateResult | undefined> {
  const { id } = secret;
  const { value: reply, replicated } = await parts.writer.run(recordKey(id), (connection) =>
    connection.waxsealReadRecordBuffer(recordKey(id), blobKey(id)),
  );
  const stored = reply ? parseRecord(id, reply) : undefined;
  if (!stored) return undefined;
  if (!sameDigest(stored.body, digestBody(secret))) return { kind: "conflict" };
  if (!replicated) throw tooFewReplicas();
  const { createdAt, expiresAt } = stored.facts;
  return { kind: "created", existed: true, createdAt, expiresAt };
}

/** Its share is removed once the record is, and only then: the record may have to stay. */
async function takeBack(parts: RedisParts, id: SecretId, shareName: string): Promise<void> {
  const discard = parts.client.waxsealDiscardSecretBuffer(recordKey(id), blobKey(id), shareName, "0");
  const [removed] = await discard.catch(() => [0]);
  if (removed === 1) await cleanUp(parts, id, shareName);
}

async function writeOrCleanUp(
  parts: RedisParts,
  secret: NewSecret,
  shareName: string,
): Promise<Written<Placed>> {
  const room = await parts.admission.admit(secret.id, secret.blob.length);
  try {
    return await write(parts, secret, shareName);
  } catch (error) {
    // A full Redis said no. Where Redis went away instead, the record may be there all the same, and
    // then it needs its share.
    if (error instanceof StoreFullError) await cleanUp(parts, secret.id, shareName);
    throw error;
  } finally {
    room.landed();
  }
}

export async function createSecret(parts: RedisParts, secret: NewSecret): Promise<CreateResult> {
  const { id } = secret;
  const shareName = randomBytes(8).toString("base64url");
  let written: Written<Placed>;
  try {
    written = await writeOrCleanUp(parts, secret, shareName);
  } catch (error) {
    const existing = error instanceof StoreFullError ? await findExisting(parts, secret) : undefined;
    if (existing) return existing;
    throw error;
  }
  const { value, replicated } = written;
  const { reply, shared } = value;
  const created = text(reply[0]) === "created";
  if (!created) await quietly(parts.keyring.drop(id, shareName));
  const kind = kindOf(reply);
  if (kind === "conflict") return { kind };
  if (!shared) throw new StoreUnavailableError({ cause: new Error("The share is not there.") });
  if (!replicated) {
    if (created) {
      await takeBack(parts, id, shareName);
    }
    throw tooFewReplicas();
  }
  return { kind: "created", existed: !created, createdAt: number(reply[1]), expiresAt: number(reply[2]) };
}
