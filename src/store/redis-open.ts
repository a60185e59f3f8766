import { randomBytes } from "node:crypto";
import type { Share } from "../envelope/tokens.ts";
import { digestClaim } from "./digests.ts";
import { blobKey, recordKey } from "./redis-keys.ts";
import {
  freeBlocks,
  limitBlocks,
  loadRecord,
  loseSecret,
  NO_ATTEMPT,
  type RedisParts,
} from "./redis-parts.ts";
import { asBuffer, ended, kindOf, MISSING, number, quietly, text } from "./redis-replies.ts";
import { type OpenRequest, type OpenResult, StoreUnavailableError } from "./store.ts";
import { tooFewReplicas } from "./wait-pool.ts";

/** Milliseconds the ciphertext may outlive a claim without redelivery, should this process die meanwhile. */
const BLOB_GRACE = 10_000;

/**
 * The claim is decided in one script; where replicas are configured, it is on all of them before
 * the share is as much as read; then the share is read with one native command that also limits or
 * ends its life; and then the ciphertext's life is limited or ended.
 */
export async function openSecret(parts: RedisParts, request: OpenRequest): Promise<OpenResult> {
  const { client, due, keyring, limits, retention, withdrawals } = parts;
  const { id, claim: token } = request;
  const attempt = randomBytes(16);
  const window = token ? limits.redeliveryWindow * 1000 : 0;
  const once = window === 0;
  // Before anything waits: whoever gave the claim wipes it when the time is over.
  const claim = token ? digestClaim(token) : "";
  due.hasten(id);
  const decide = parts.writer.run(recordKey(id), (connection) =>
    connection.waxsealOpenSecretBuffer(
      recordKey(id),
      blobKey(id),
      asBuffer(request.linkHash),
      asBuffer(request.accessHash),
      claim,
      attempt,
      window,
      BLOB_GRACE,
      limits.passphraseTries,
      retention,
      request.again ? "1" : "0",
    ),
  );
  const { value: reply, replicated } = await decide.catch(async (error: unknown) => {
    // It may have won all the same. A claimant with a token comes again; one without must find the
    // secret sealed.
    const withdrawn = withdrawals.withdraw(id, attempt, false);
    if (once) await withdrawn;
    throw error;
  });
  const kind = kindOf(reply);
  if (kind === "missing") return MISSING;
  if (kind === "ended") return ended(reply[1], reply[2]);
  if (kind === "sealed") throw new StoreUnavailableError({ cause: new Error("It is sealed again.") });

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
    // Nobody has the share, so the secret is sealed again, with a claim when its window is over; or it is
    // lost where the share is gone for certain. What was lent to nobody gets its time back.
    const lent = !once && replicated ? shareName : undefined;
    const result = await withdrawals.withdraw(id, attempt, true, lent);
    if (once && result === "refused") await quietly(loseSecret(parts, id, shareName, attempt));
    throw error;
  }
  if (share) {
    // The ciphertext goes with the share, or with the window. Should this process end before that is said,
    // it stays until the secret's own end, and is worth nothing: the share has gone by then.
    const [rest, blocks] = [Math.max(1, number(reply[2])), number(reply[3])];
    const erase = once ? [client.unlink(blobKey(id)), freeBlocks(parts, id, blocks, 0)] : [];
    const limit = once ? [] : [client.pexpire(blobKey(id), rest), limitBlocks(parts, id, blocks, rest)];
    await quietly(due.leave(id), ...erase, ...limit);
    return { kind: "handed-over", share, first };
  }
  if (first) return loseSecret(parts, id, shareName, attempt);
  // Acknowledged or destroyed by another call in this very moment.
  const record = await loadRecord(parts, id);
  return record?.facts.endedAt ? ended(Buffer.from(record.facts.state), record.facts.endedAt) : MISSING;
}
