import type { Cluster, Redis } from "ioredis";
import type { SecretId } from "../envelope/tokens.ts";
import { blobKey, recordKey } from "./redis-keys.ts";

/** Seals a secret again that a call may have won and whose share it will not hand over. */
export interface Withdrawals {
  /**
   * `won`: the call knows that it has. "refused" then says that the sender destroyed the secret
   * meanwhile. Whatever else is not known is tried again for a while.
   */
  withdraw(id: SecretId, attempt: Buffer, won: boolean): Promise<"withdrawn" | "refused" | "unknown">;
  close(): void;
}

interface Pending {
  readonly id: SecretId;
  readonly attempt: Buffer;
  readonly until: number;
}

/** Milliseconds. What lies in a dead connection's buffers arrives within this, or never. */
const TRY_FOR = 30_000;
const TRY_EVERY = 1_000;
/** More are not remembered. Each stands for a request that was answered with 503 in the last half minute. */
const MAX_PENDING = 10_000;

/**
 * An open without a claim can't be repeated. Where its connection breaks, nobody knows whether it was
 * done, or is still to be done: a Redis that was frozen reads what a connection holds that was given up
 * long ago. So a withdrawal that found nothing to withdraw is made again, first of all after each
 * reconnection, and then every second.
 */
export function createWithdrawals(client: Redis | Cluster, retention: number): Withdrawals {
  const pending = new Set<Pending>();
  let timer: NodeJS.Timeout | undefined;

  async function tryOnce({ id, attempt }: Pending) {
    try {
      const command = client.waxsealWithdrawClaimBuffer(recordKey(id), blobKey(id), attempt, retention);
      const [withdrawn] = await command;
      return withdrawn === 1 ? "withdrawn" : "refused";
    } catch {
      return "unknown";
    }
  }

  async function tryAll(): Promise<void> {
    await Promise.all(
      [...pending].map(async (entry) => {
        const late = Date.now() > entry.until;
        if ((await tryOnce(entry)) === "withdrawn" || late) pending.delete(entry);
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
      const entry = { id, attempt, until: Date.now() + TRY_FOR };
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
