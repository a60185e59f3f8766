import type { Ciphertext, SecretId } from "../envelope/tokens.ts";
import { type Store, StoreUnavailableError } from "../store/store.ts";
import { notFound } from "./problem.ts";
import { ended, endOf } from "./secret-state.ts";

/** The ciphertext for somebody who has shown that they hold the link; throws what became of it else. */
export function createReadBlob(
  store: Pick<Store, "read" | "readBlob">,
): (id: SecretId) => Promise<Ciphertext> {
  return async (id) => {
    const blob = await store.readBlob(id);
    if (blob) return blob;
    // It may have ended since the record was read.
    const record = await store.read(id);
    const end = record && endOf(record);
    if (end) throw ended(end);
    throw record ? new StoreUnavailableError() : notFound();
  };
}
