import type { Ciphertext } from "../envelope/tokens.ts";
import { type SecretRecord, type Store, StoreUnavailableError } from "../store/store.ts";
import { notFound } from "./problem.ts";
import { ended, endOf } from "./secret-state.ts";

/** Bytes from `start` up to, and without, `end`, of at most `MAX_READ`. */
export type ReadBlob = (record: Pick<SecretRecord, "id">, start: number, end: number) => Promise<Ciphertext>;

/** The ciphertext for somebody who has shown that they hold the link; throws what became of it else. */
export function createReadBlob(store: Pick<Store, "read" | "readBlob">): ReadBlob {
  return async ({ id }, start, end) => {
    const blob = await store.readBlob(id, start, end);
    if (blob) return blob;
    // It may have ended since the record was read.
    const record = await store.read(id);
    const ending = record && endOf(record);
    if (ending) throw ended(ending);
    throw record ? new StoreUnavailableError() : notFound();
  };
}
