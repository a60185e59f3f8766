import type { Cluster, Redis } from "ioredis";
import type { SecretId } from "../envelope/tokens.ts";
import { blobKey, recordKey } from "./redis-keys.ts";

/** Seals a secret again that a call may have won and whose share it will not hand over. */
export interface Withdrawals {
  /**
   * `won`: the call knows that it has, or that it was let in again. "refused" then says that the
   * sender destroyed the secret meanwhile, or that another call of the same claim may have handed the
   * share over; "later", that the secret is sealed again when the claim's window is over. Whatever
   * else is not known is tried again for a while.
   */
  withdraw(
    id: SecretId,
    attempt: Buffer,
    won: boolean,
  ): Promise<"withdrawn" | "refused" | "later" | "unknown">;
  close(): void;
}

interface Pending {
  readonly id: SecretId;
  readonly attempt: Buffer;
  /** For Date.now(), as `until` is. */
  notBefore: number;
  until: number;
  /** "refused" is the last word. */
  isKnown: boolean;
}

/** Milliseconds. What lies in a dead connection's buffers arrives within this, or never. */
const TRY_FOR = 30_000;
const TRY_EVERY = 1_000;
/** More are not remembered. Each stands for a request that was answered with 503 in the last half minute. */
const MAX_PENDING = 10_000;

/**
 * An open without a claim can't be repeated, and one with a claim only for a while. Where its connection
 * breaks, nobody knows whether it was done, or is still to be done: a Redis that was frozen reads what a
 * connection holds that was given up long ago. So a withdrawal that found nothing to withdraw is made
 * again, first of all after each reconnection, and then every second.
 *
 * Without this, whoever asked for a secret while a replica was away for longer than the window would
 * have used it up, and nobody would have got it.
 */
export function createWithdrawals(client: Redis | Cluster, retention: number): Withdrawals {
  const pending = new Set<Pending>();
  let timer: NodeJS.Timeout | undefined;

  async function tryOnce(entry: Pending) {
    const { id, attempt } = entry;
    try {
      const command = client.waxsealWithdrawClaimBuffer(recordKey(id), blobKey(id), attempt, retention);
      const [answer, milliseconds = 0] = await command;
      if (answer !== 2) return answer === 1 ? "withdrawn" : "refused";
      entry.isKnown = true;
      entry.notBefore = Date.now() + milliseconds;
      entry.until = entry.notBefore + TRY_FOR;
      return "later";
    } catch {
      return "unknown";
    }
  }

  async function tryAll(): Promise<void> {
    await Promise.all(
      [...pending].map(async (entry) => {
        if (Date.now() < entry.notBefore) return;
        const late = Date.now() > entry.until;
        const result = await tryOnce(entry);
        const isOver = result === "withdrawn" || (result === "refused" && entry.isKnown);
        if (isOver || (late && result !== "later")) pending.delete(entry);
      }),
    );
    schedule();
  }

  function schedule(): void {
    clearTimeout(timer);
    timer = pending.size === 0 ? undefined : setTimeout(tryAll, TRY_EVERY).unref();
  }

  const afterReconnection = () => {
    if (pending.size > 0) void tryAll();
  };
  client.on("ready", afterReconnection);

  return {
    async withdraw(id, attempt, won) {
      const now = Date.now();
      const entry: Pending = { id, attempt, notBefore: now, until: now + TRY_FOR, isKnown: won };
      const result = await tryOnce(entry);
      if (result === "withdrawn" || (result === "refused" && won)) return result;
      if (pending.size < MAX_PENDING) pending.add(entry);
      schedule();
      return result;
    },
    close() {
      pending.clear();
      clearTimeout(timer);
      client.off("ready", afterReconnection);
    },
  };
}
