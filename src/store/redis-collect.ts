import type { SecretId } from "../envelope/tokens.ts";
import { parseUpload, releaseUpload } from "./redis-budget.ts";
import { ask } from "./redis-faults.ts";
import { blobKey, DUE_KEY, recordKey, UPLOADS_KEY } from "./redis-keys.ts";
import { freeBlocks, type RedisParts } from "./redis-parts.ts";
import { number, quietly, text } from "./redis-replies.ts";
import type { ScriptReply } from "./redis-scripts.ts";

export const BATCH = 100;
/** Per call; the next call goes on from there. */
export const MAX_BATCHES = 100;
/** Milliseconds until another look at a record that only another version of the program can read. */
const LOOK_AGAIN = 3_600_000;
/** Milliseconds after a claim's window in which a process that was cut off may still take the claim back. */
const MAY_TAKE_BACK = 60_000;

export function lookAt({ client, retention }: RedisParts, id: SecretId): Promise<ScriptReply> {
  return ask(client.waxsealExpireSecretBuffer(recordKey(id), blobKey(id), retention, MAY_TAKE_BACK));
}

export async function lookMuchLater({ client }: RedisParts, index: string, name: string): Promise<void> {
  await ask(client.zincrby(index, LOOK_AGAIN, name));
}

/** What fails here is done again by Redis' own times to live. */
export async function eraseExpired(parts: RedisParts, id: SecretId, reply: ScriptReply): Promise<void> {
  await quietly(parts.keyring.drop(id, text(reply[1])), freeBlocks(parts, id, number(reply[2])));
}

/** The id where this call, among all replicas, wrote down that it ran out. */
async function expire(parts: RedisParts, name: string): Promise<SecretId | undefined> {
  const { client } = parts;
  const id = name as SecretId;
  const reply = await lookAt(parts, id);
  const kind = text(reply[0]);
  if (kind === "live" || kind === "claimed") {
    // The index may lie on another node, with another clock.
    await ask(client.waxsealScheduleExpiryBuffer(DUE_KEY, id, number(reply[1]), "XX"));
    return undefined;
  }
  if (kind === "version") {
    await lookMuchLater(parts, DUE_KEY, id);
    return undefined;
  }
  const expired = kind === "expired";
  // What fails here is done again by the next sweep; the report must not be lost for it.
  await quietly(client.zrem(DUE_KEY, id), ...(expired ? [eraseExpired(parts, id, reply)] : []));
  return expired ? id : undefined;
}

/** The same for an upload. A share whose record is another create's, or never came to be, goes as well. */
async function abandon(parts: RedisParts, name: string): Promise<SecretId | undefined> {
  const { client, keyring, uploads, retention } = parts;
  const { id, shareName } = parseUpload(name);
  const idle = uploads.idle * 1000;
  const command = client.waxsealAbandonUploadBuffer(recordKey(id), blobKey(id), shareName, idle, retention);
  const reply = await ask(command);
  const kind = text(reply[0]);
  if (kind === "live") {
    await ask(client.waxsealScheduleExpiryBuffer(UPLOADS_KEY, name, number(reply[1]), "XX"));
    return undefined;
  }
  if (kind === "version") {
    await lookMuchLater(parts, UPLOADS_KEY, name);
    return undefined;
  }
  const abandoned = kind === "abandoned";
  if (abandoned) parts.rooms.end(id);
  await quietly(
    releaseUpload(parts, id, shareName),
    kind === "over" ? Promise.resolve() : keyring.drop(id, shareName),
    abandoned ? freeBlocks(parts, id, number(reply[1])) : Promise.resolve(),
  );
  return abandoned ? id : undefined;
}

/** Walks what is due, a batch at a time. Ends that were told to somebody else only leave the index. */
async function collectDue(
  parts: RedisParts,
  index: string,
  settle: typeof expire,
  furthest: number | "" = "",
): Promise<SecretId[]> {
  const collected: SecretId[] = [];
  for (let batch = 0; batch < MAX_BATCHES; batch++) {
    const due = await ask(parts.client.waxsealFindDueBuffer(index, BATCH, furthest));
    const done = await Promise.allSettled(
      due.map(async (name) => {
        const id = await settle(parts, name.toString());
        if (id !== undefined) collected.push(id);
      }),
    );
    const failed = done.find((result) => result.status === "rejected");
    // What was marked is reported now, since nobody will be told again.
    if (failed && collected.length === 0) throw failed.reason;
    if (failed || due.length < BATCH) break;
  }
  return collected;
}

export const collectExpired = (parts: RedisParts) => collectDue(parts, DUE_KEY, expire);
/** A date beyond what any upload has left, by which its room would stay taken, was set by another clock. */
export const collectAbandoned = (parts: RedisParts) =>
  collectDue(parts, UPLOADS_KEY, abandon, parts.uploads.idle * 1000 + LOOK_AGAIN);
