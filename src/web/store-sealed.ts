import { wipe } from "../envelope/bytes.ts";
import { gather } from "../envelope/seal.ts";
import type { PreparedSecret } from "../envelope/sender.ts";
import { type NewSecret, type Store, StoreUnavailableError } from "../store/store.ts";
import { cutIntoBlocks } from "./blocks.ts";
import { MAX_INLINE_BLOB } from "./create-secret.ts";

/** `conflict`: there is another secret with this id. */
export type Stored = { readonly kind: "stored"; readonly expiresAt: number } | { readonly kind: "conflict" };

/**
 * Seals into the store as a browser does over HTTP: a small blob with the create, a larger one block
 * by block as it is encrypted. What fails in the middle leaves nothing behind. Wipes the share.
 */
export async function storeSealed(
  store: Store,
  secret: PreparedSecret,
  terms: Pick<NewSecret, "ttl" | "rules" | "sender">,
): Promise<Stored> {
  const { identity, sealing } = secret;
  const size = sealing.length;
  try {
    if (size <= MAX_INLINE_BLOB) {
      const result = await store.create({ ...identity, size, blob: await gather(sealing), ...terms });
      return result.kind === "created" ? { kind: "stored", expiresAt: result.expiresAt } : result;
    }
    const begun = await store.create({ ...identity, size, ...terms });
    if (begun.kind === "conflict") return begun;
    try {
      for await (const { offset, bytes } of cutIntoBlocks(sealing.pieces, 0)) {
        const { kind } = await store.writeBlob(identity.id, offset, bytes);
        if (kind !== "written") throw new StoreUnavailableError();
      }
      const sealed = await store.sealUpload(identity.id);
      if (sealed.kind !== "sealed") throw new StoreUnavailableError();
      return { kind: "stored", expiresAt: sealed.expiresAt };
    } catch (error) {
      // Where even this fails, it is given up in time.
      await store.delete(identity.id).catch(() => undefined);
      throw error;
    }
  } finally {
    wipe(identity.share);
  }
}
