import type { Cluster, Redis } from "ioredis";
import type { SecretId } from "../envelope/tokens.ts";
import type { Keyring } from "./keyring.ts";
import type { DueIndex } from "./redis-due.ts";
import { blobKey, recordKey } from "./redis-keys.ts";

type Outcome = "withdrawn" | "refused" | "later" | "unknown";

/** Seals a secret again that a call may have won and whose share it will not hand over. */
export interface Withdrawals {
  /**
   * `won`: the call knows that it has, or that it was let in again. "refused" then says that the
   * sender destroyed the secret meanwhile, or that another call of the same claim may have handed the
   * share over; "later", that the secret is sealed again when the claim's window is over. Whatever
   * else is not known is tried again for a while. `lent` names a share that may have been lent, and have
   * lost the rest of its life by it, though nobody received it: it gets that back.
   */
  withdraw(id: SecretId, attempt: Buffer, won: boolean, lent?: string): Promise<Outcome>;
  close(): void;
}

interface Pending {
  readonly id: SecretId;
  readonly attempt: Buffer;
  readonly lent: string | undefined;
  /** For Date.now(), as `until` and `ends` are. */
  notBefore: number;
  /** Undefined while Redis does not answer: its time counts from when it does. */
  until: number | undefined;
  /** "refused" is the last word. */
  isKnown: boolean;
  /** Only what was lent is still to get its time back. */
  isSealed: boolean;
  /** The secret's own end. */
  ends: number;
}

/** Milliseconds. What lies in a dead connection's buffers arrives within this, or never. */
const TRY_FOR = 30_000;
const TRY_EVERY = 1_000;
/** More are not remembered. Each stands for a request that was answered with 503. */
const MAX_PENDING = 10_000;
/** Sent at once, so that the others who ask Redis are not held up. */
const BATCH = 100;

/**
 * An open without a claim can't be repeated, and one with a claim only for a while. Where its connection
 * breaks, nobody knows whether it was done, or is still to be done: a Redis that was frozen reads what a
 * connection holds that was given up long ago. So a withdrawal that found nothing to withdraw is made
 * again, first of all after each reconnection, and then every second.
 *
 * Without this, whoever asked for a secret while a replica was away for longer than the window would
 * have used it up, and nobody would have got it.
 */
export function createWithdrawals(
  client: Redis | Cluster,
  keyring: Keyring,
  due: DueIndex,
  retention: number,
): Withdrawals {
  const pending = new Set<Pending>();
  let timer: NodeJS.Timeout | undefined;
  let isTrying = false;
  let closed = false;

  async function tryOnce(entry: Pending): Promise<Outcome> {
    const { id, attempt, lent } = entry;
    let windowLeft = 0;
    try {
      if (!entry.isSealed) {
        const command = client.waxsealWithdrawClaimBuffer(recordKey(id), blobKey(id), attempt, retention);
        const [answer, milliseconds = 0, left = 0] = await command;
        entry.until ??= Date.now() + TRY_FOR;
        if (answer !== 1 && answer !== 2) return "refused";
        entry.isKnown = true;
        entry.isSealed = answer === 1;
        entry.ends = Date.now() + left;
        windowLeft = milliseconds;
        due.comeBack(id, left);
      }
      if (lent !== undefined) await keyring.keep(id, lent, entry.ends - Date.now());
    } catch {
      entry.until = undefined;
      return "unknown";
    }
    if (entry.isSealed) return "withdrawn";
    entry.notBefore = Date.now() + windowLeft;
    return "later";
  }

  async function tryAgain(entry: Pending): Promise<void> {
    const result = await tryOnce(entry);
    const late = entry.until !== undefined && Date.now() > entry.until;
    if (result === "withdrawn" || (result === "refused" && (entry.isKnown || late))) pending.delete(entry);
  }

  async function tryAll(): Promise<void> {
    if (isTrying) return;
    isTrying = true;
    const due = [...pending].filter((entry) => Date.now() >= entry.notBefore);
    for (let first = 0; first < due.length && !closed && client.status === "ready"; first += BATCH) {
      await Promise.all(due.slice(first, first + BATCH).map(tryAgain));
    }
    isTrying = false;
    schedule();
  }

  function schedule(): void {
    clearTimeout(timer);
    timer = closed || pending.size === 0 ? undefined : setTimeout(tryAll, TRY_EVERY).unref();
  }

  const afterReconnection = () => {
    if (pending.size > 0) void tryAll();
  };
  client.on("ready", afterReconnection);

  return {
    async withdraw(id, attempt, won, lent) {
      const unknown = { notBefore: 0, until: undefined, isSealed: false, ends: 0 };
      const entry: Pending = { id, attempt, lent, isKnown: won, ...unknown };
      const result = await tryOnce(entry);
      if (result === "withdrawn" || (result === "refused" && won)) return result;
      if (pending.size < MAX_PENDING) pending.add(entry);
      schedule();
      return result;
    },
    close() {
      closed = true;
      pending.clear();
      clearTimeout(timer);
      client.off("ready", afterReconnection);
    },
  };
}
