import type { SecretId } from "../envelope/tokens.ts";
import type { DeleteResult, SecretRecord, UnlockResult } from "../store/store.ts";
import { notFound } from "./problem.ts";
import type { RouteDeps } from "./route-deps.ts";
import { ended } from "./secret-state.ts";

/**
 * What whoever holds the receipt may do, once that is proven. Each resolves with the record as it is
 * afterwards, and rejects with the `ended` problem where there is nothing left to do it to.
 */
export interface ReceiptActs {
  delete(id: SecretId): Promise<SecretRecord>;
  unlock(id: SecretId): Promise<SecretRecord>;
}

export function createReceiptActs({ store, uploads }: Pick<RouteDeps, "store" | "uploads">): ReceiptActs {
  async function recordAfter(id: SecretId, result: DeleteResult | UnlockResult): Promise<SecretRecord> {
    if (result.kind === "missing") throw notFound();
    if (result.kind === "ended") throw ended(result);
    const record = await store.read(id);
    if (!record) throw notFound();
    return record;
  }

  return {
    async delete(id) {
      const result = await store.delete(id);
      uploads.free(id);
      return recordAfter(id, result);
    },
    async unlock(id) {
      return recordAfter(id, await store.unlock(id));
    },
  };
}
