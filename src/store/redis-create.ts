import { randomBytes } from "node:crypto";
import type { Cluster, Redis } from "ioredis";
import type { Ciphertext, SecretId } from "../envelope/tokens.ts";
import { type DigestedSecret, digestBody } from "./digests.ts";
import { createKeyring } from "./keyring.ts";
import { releaseUpload, reserveUpload } from "./redis-budget.ts";
import { ask } from "./redis-faults.ts";
import { blobKey, DUE_KEY, recordKey, shareKey } from "./redis-keys.ts";
import { attachmentCost } from "./redis-memory.ts";
import type { RedisParts } from "./redis-parts.ts";
import { asBuffer, kindOf, number, quietly, text } from "./redis-replies.ts";
import type { ScriptReply } from "./redis-scripts.ts";
import { beginUpload, shareLife } from "./redis-upload.ts";
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
  parts: RedisParts,
  secret: DigestedSecret,
  shareName: string,
  connection: Redis | Cluster,
): Promise<Placed> {
  const { keyring, hasKeyring } = parts;
  const { id } = secret;
  const ring = hasKeyring ? keyring : createKeyring(connection);
  const create = secret.blob
    ? createWhole(parts, secret, secret.blob, shareName, connection)
    : beginUpload(parts, secret, shareName, connection);
  const [reply, isThere] = await Promise.all([create, hasKeyring || ring.has(id, shareName)]);
  const existed = text(reply[0]) === "existed";
  // Opened, ended, or an upload that was sealed since: it is no create's to remove.
  if (existed && reply[4] !== 1) return { reply, shared: true };
  const isShared = existed ? await ring.has(id, text(reply[3])) : isThere;
  if (isShared) return { reply, shared: true };
  // A record without its share goes, here where it was found; the next try writes it anew. Where it
  // does not go, somebody has opened it in this moment.
  const name = existed ? text(reply[3]) : shareName;
  const [removed] = await connection.waxsealDiscardSecretBuffer(recordKey(id), blobKey(id), name, "1");
  return { reply, shared: existed && removed !== 1 };
}

function createWhole(
  { retention }: RedisParts,
  secret: DigestedSecret,
  blob: Ciphertext,
  shareName: string,
  connection: Redis | Cluster,
): Promise<ScriptReply> {
  return connection.waxsealCreateSecretBuffer(
    recordKey(secret.id),
    blobKey(secret.id),
    asBuffer(secret.linkHash),
    asBuffer(secret.accessHash),
    asBuffer(secret.receiptHash),
    secret.bodyDigest,
    shareName,
    asBuffer(blob),
    secret.ttl * 1000,
    retention,
    secret.passphrase ? "1" : "0",
    secret.rules ?? "",
    secret.sender ?? "",
  );
}

/**
 * Due index (an upload's reservation, which is one too), share, record with what there is of the
 * ciphertext: in this order, so that a record is never without the two others. What a process that dies in between leaves behind is a share that nothing names, which
 * Redis deletes at the end of its time to live, and an entry that the next sweep removes.
 *
 * The index is not waited for: what a failover forgets of it is not reported when it runs out, and
 * runs out all the same.
 */
async function write(parts: RedisParts, secret: DigestedSecret, shareName: string): Promise<Written<Placed>> {
  const { id, blob, size } = secret;
  const ttl = secret.ttl * 1000;
  if (blob) await ask(parts.client.waxsealScheduleExpiryBuffer(DUE_KEY, id, ttl, "NX"));
  else await reserveUpload(parts, id, shareName, size);
  await putShare(parts, secret, shareName, blob ? ttl : shareLife(parts));
  return parts.writer.run(recordKey(id), (connection) => place(parts, secret, shareName, connection));
}

/** After a create that was refused for certain. */
async function cleanUp(parts: RedisParts, id: SecretId, shareName: string): Promise<void> {
  const { client, keyring } = parts;
  const unschedule = async () => {
    if ((await client.exists(recordKey(id))) === 0) await client.zrem(DUE_KEY, id);
  };
  await quietly(keyring.drop(id, shareName), releaseUpload(parts, id, shareName), unschedule());
}

/** Its share is removed once the record is, and only then: the record may have to stay. */
async function takeBack(parts: RedisParts, id: SecretId, shareName: string): Promise<void> {
  const discard = parts.client.waxsealDiscardSecretBuffer(recordKey(id), blobKey(id), shareName, "0");
  const [removed] = await discard.catch(() => [0]);
  if (removed === 1) await cleanUp(parts, id, shareName);
}

async function writeOrCleanUp(
  parts: RedisParts,
  secret: DigestedSecret,
  shareName: string,
): Promise<Written<Placed>> {
  try {
    return await write(parts, secret, shareName);
  } catch (error) {
    // A full Redis said no. Where Redis went away instead, the record may be there all the same, and
    // then it needs its share.
    if (error instanceof StoreFullError) await cleanUp(parts, secret.id, shareName);
    throw error;
  }
}

/** What was written counts as confirmed, or is taken back. */
async function confirm(
  parts: RedisParts,
  id: SecretId,
  shareName: string,
  { value: { reply, shared }, replicated }: Written<Placed>,
): Promise<CreateResult> {
  const created = text(reply[0]) === "created";
  if (!created) await quietly(parts.keyring.drop(id, shareName), releaseUpload(parts, id, shareName));
  const kind = kindOf(reply);
  if (kind === "conflict") return { kind };
  if (!shared) {
    await quietly(releaseUpload(parts, id, created ? shareName : text(reply[3])));
    throw new StoreUnavailableError({ cause: new Error("The share is not there.") });
  }
  if (!replicated) {
    if (created) {
      await takeBack(parts, id, shareName);
    }
    throw tooFewReplicas();
  }
  return { kind: "created", existed: !created, createdAt: number(reply[1]), expiresAt: number(reply[2]) };
}

/**
 * Where there is no room for more, what is there already can still be told. It is asked for as any create
 * is, which writes to it, so that there is something to wait for.
 */
async function findExisting(parts: RedisParts, secret: DigestedSecret): Promise<CreateResult | undefined> {
  const { id } = secret;
  const shareName = randomName();
  const { value, replicated } = await parts.writer.run(recordKey(id), async (connection) => {
    if (!(await connection.waxsealReadRecordBuffer(recordKey(id), blobKey(id)))) return undefined;
    return place(parts, secret, shareName, connection);
  });
  return value && confirm(parts, id, shareName, { value, replicated });
}

const randomName = () => randomBytes(8).toString("base64url");

async function admitAndWrite(parts: RedisParts, secret: DigestedSecret): Promise<CreateResult> {
  const { id, size } = secret;
  const shareName = randomName();
  const lasting = secret.blob === undefined;
  const attached = attachmentCost(secret);
  const room = await parts.admission.admit(id, size, { lasting, attached });
  let begun = false;
  try {
    const result = await confirm(parts, id, shareName, await writeOrCleanUp(parts, secret, shareName));
    begun = lasting && result.kind === "created" && !result.existed;
    return result;
  } finally {
    if (begun) parts.rooms.keep(id, room);
    else if (lasting) room.release();
    else room.landed();
  }
}

export async function createSecret(parts: RedisParts, given: NewSecret): Promise<CreateResult> {
  const secret: DigestedSecret = { ...given, bodyDigest: digestBody(given) };
  try {
    return await admitAndWrite(parts, secret);
  } catch (error) {
    const existing = error instanceof StoreFullError ? await findExisting(parts, secret) : undefined;
    if (existing) return existing;
    throw error;
  }
}
