import { createHash, randomBytes } from "node:crypto";
import {
  type Ciphertext,
  type ClaimToken,
  createClaim,
  createShare,
  formatId,
  storedCiphertext,
  storedDigest,
  type TtlSeconds,
} from "../envelope/tokens.ts";
import { BLOB_BLOCK, MAX_READ, type NewSecret, type OpenRequest, type Store } from "../store/store.ts";

export const bytes = (length: number) => new Uint8Array(randomBytes(length));
export const anyDigest = () => storedDigest(bytes(32));
/** A time to live as tests need it: shorter than the parser would let through. */
export const seconds = (ttl: number) => ttl as TtlSeconds;

export type WholeSecret = NewSecret & { readonly blob: Ciphertext };

/** A secret that nobody could open for real: its blob is noise. */
export function newSecret(fields: Partial<WholeSecret> = {}): WholeSecret {
  const blob = fields.blob ?? storedCiphertext(bytes(1_200));
  return {
    id: formatId(bytes(16)),
    linkHash: anyDigest(),
    accessHash: anyDigest(),
    receiptHash: anyDigest(),
    share: createShare(),
    size: blob.length,
    blob,
    ttl: seconds(1_000),
    passphrase: false,
    ...fields,
  };
}

/** A secret whose blob comes in pieces, and that blob. */
export function newUpload(size: number, fields: Partial<NewSecret> = {}) {
  const { blob, ...others } = newSecret({ blob: storedCiphertext(bytes(size)) });
  return { secret: { ...others, ...fields }, blob };
}

/** Sends a blob from its beginning to its end and seals it, as a plain client would. */
export async function uploadWhole(store: Store, secret: NewSecret, blob: Uint8Array): Promise<void> {
  await store.create(secret);
  for (let at = 0; at < blob.length; at += BLOB_BLOCK) {
    await store.writeBlob(secret.id, at, blob.subarray(at, at + BLOB_BLOCK));
  }
  await store.sealUpload(secret.id);
}

/** All of a blob, or undefined where some of it isn't there. */
export async function readWhole(
  store: Store,
  { id, size }: Pick<NewSecret, "id" | "size">,
): Promise<Ciphertext | undefined> {
  const whole = new Uint8Array(size);
  for (let at = 0; at < size; at += MAX_READ) {
    const piece = await store.readBlob(id, at, Math.min(at + MAX_READ, size));
    if (!piece) return undefined;
    whole.set(piece, at);
  }
  return storedCiphertext(whole);
}

/** What its rightful recipient sends, with a new claim each time. */
export function opening({
  id,
  linkHash,
  accessHash,
}: NewSecret): OpenRequest & { readonly claim: ClaimToken } {
  return { id, linkHash, accessHash, claim: createClaim() };
}
/** From somebody who does not know that claims exist. */
export function openingOnce({ id, linkHash, accessHash }: NewSecret): OpenRequest {
  return { id, linkHash, accessHash };
}
/** The right link with a wrong passphrase. */
export function openingWrong({ id, linkHash }: NewSecret): OpenRequest {
  return { id, linkHash, accessHash: anyDigest(), claim: createClaim() };
}

/** For comparing bytes that will be zeroed, and for failures that show no key material. */
export const fingerprint = (value: Uint8Array) =>
  createHash("sha256").update(value).digest("hex").slice(0, 16);
