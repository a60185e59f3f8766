import type { SecretId } from "../envelope/tokens.ts";
import { ask } from "./redis-faults.ts";
import { blobKey, DUE_KEY, recordKey } from "./redis-keys.ts";
import type { RedisParts } from "./redis-parts.ts";
import { number, quietly, text } from "./redis-replies.ts";

const BATCH = 100;
/** Per call; the next call goes on from there. */
const MAX_BATCHES = 100;
/** Milliseconds until another look at a record that only another version of the program can read. */
const LOOK_AGAIN = 3_600_000;

/** Whether this call, among all replicas, wrote down that it ran out. */
async function expire({ client, keyring }: RedisParts, id: SecretId): Promise<boolean> {
  const reply = await ask(client.waxsealExpireSecretBuffer(recordKey(id), blobKey(id)));
  const kind = text(reply[0]);
  if (kind === "live") {
    // The index may lie on another node, with another clock.
    await ask(client.waxsealScheduleExpiryBuffer(DUE_KEY, id, number(reply[1]), "XX"));
    return false;
  }
  if (kind === "version") {
    await ask(client.zincrby(DUE_KEY, LOOK_AGAIN, id));
    return false;
  }
  const expired = kind === "expired";
  // What fails here is done again by the next sweep; the report must not be lost for it.
  await quietly(client.zrem(DUE_KEY, id), expired ? keyring.drop(id, text(reply[1])) : Promise.resolve());
  return expired;
}

/** Walks what is due, a batch at a time. Ends that were told to somebody else only leave the index. */
export async function collectExpired(parts: RedisParts): Promise<SecretId[]> {
  const collected: SecretId[] = [];
  for (let batch = 0; batch < MAX_BATCHES; batch++) {
    const due = await ask(parts.client.waxsealFindDueBuffer(DUE_KEY, BATCH));
    const ids = due.map((id) => id.toString() as SecretId);
    const done = await Promise.allSettled(
      ids.map(async (id) => {
        if (await expire(parts, id)) collected.push(id);
      }),
    );
    const failed = done.find((result) => result.status === "rejected");
    // What was marked is reported now, since nobody will be told again.
    if (failed && collected.length === 0) throw failed.reason;
    if (failed || ids.length < BATCH) break;
  }
  return collected;
}
