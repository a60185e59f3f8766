import { randomBytes } from "node:crypto";
import type { SecretId, Share } from "../envelope/tokens.ts";
import { digestClaim } from "./digests.ts";
import { blobKey, DUE_KEY, recordKey } from "./redis-keys.ts";
import { freeBlocks, loadRecord, loseSecret, NO_ATTEMPT, type RedisParts } from "./redis-parts.ts";
import { asBuffer, ended, kindOf, MISSING, number, quietly, text } from "./redis-replies.ts";
import type { OpenRequest, OpenResult } from "./store.ts";
import { tooFewReplicas } from "./wait-pool.ts";

/** Milliseconds the ciphertext may outlive a claim without redelivery, should this process die meanwhile. */
const BLOB_GRACE = 10_000;

/** The share was not handed over and won't be: seals the secret again for whoever comes next. */
async function withdraw({ client, retention }: RedisParts, id: SecretId, attempt: Buffer): Promise<boolean> {
  const command = client.waxsealWithdrawClaimBuffer(recordKey(id), blobKey(id), attempt, retention);
  const [withdrawn] = await command.catch(() => [0]);
  return withdrawn === 1;
}

/**
 * The claim is decided in one script; where replicas are configured, it is on all of them before
 * the share is as much as read; then the share is read with one native command that also limits or
 * ends its life.
 */
export async function openSecret(parts: RedisParts, request: OpenRequest): Promise<OpenResult> {
  const { client, keyring, limits, retention } = parts;
  const { id, claim: token } = request;
  const attempt = randomBytes(16);
  const window = token ? limits.redeliveryWindow * 1000 : 0;
  const once = window === 0;
  const decide = parts.writer.run((connection) =>
    connection.waxsealOpenSecretBuffer(
      recordKey(id),
      blobKey(id),
      asBuffer(request.linkHash),
      asBuffer(request.accessHash),
      token ? digestClaim(token) : "",
      attempt,
      window,
      BLOB_GRACE,
      limits.passphraseTries,
      retention,
    ),
  );
  const { value: reply, replicated } = await decide.catch(async (error: unknown) => {
    // It may have won all the same. A claimant with a token comes again; one without must find the
    // secret sealed.
    if (once) await withdraw(parts, id, attempt);
    throw error;
  });
  const kind = kindOf(reply);
  if (kind === "missing") return MISSING;
  if (kind === "ended") return ended(reply[1], reply[2]);

  const shareName = text(reply[1]);
  if (kind === "damaged") return loseSecret(parts, id, shareName, NO_ATTEMPT);
  if (kind === "wrong" || kind === "locked") {
    // Whoever may still try should not be sent looking for a passphrase that can't help any more.
    if (!(await keyring.has(id, shareName))) return loseSecret(parts, id, shareName, NO_ATTEMPT);
    return kind === "locked" ? { kind } : { kind: "wrong-passphrase", triesLeft: number(reply[2]) };
  }

  const first = kind === "won";
  let share: Share | undefined;
  try {
    if (!replicated) throw tooFewReplicas();
    share = await (once ? keyring.take(id, shareName) : keyring.lend(id, shareName, number(reply[2])));
  } catch (error) {
    if (once && !(await withdraw(parts, id, attempt)))
      await quietly(loseSecret(parts, id, shareName, attempt));
    throw error;
  }
  if (share) {
    const erase = once ? [client.unlink(blobKey(id)), freeBlocks(parts, id, number(reply[3]), 0)] : [];
    await quietly(client.zrem(DUE_KEY, id), ...erase);
    return { kind: "handed-over", share, first };
  }
  if (first) return loseSecret(parts, id, shareName, attempt);
  // Acknowledged or destroyed by another call in this very moment.
  const record = await loadRecord(parts, id);
  return record?.facts.endedAt ? ended(Buffer.from(record.facts.state), record.facts.endedAt) : MISSING;
}
