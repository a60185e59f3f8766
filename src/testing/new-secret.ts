import { createHash, randomBytes } from "node:crypto";
import {
  type ClaimToken,
  createClaim,
  createShare,
  formatId,
  storedCiphertext,
  storedDigest,
  type TtlSeconds,
} from "../envelope/tokens.ts";
import type { NewSecret, OpenRequest } from "../store/store.ts";

export const bytes = (length: number) => new Uint8Array(randomBytes(length));
export const anyDigest = () => storedDigest(bytes(32));
/** A time to live as tests need it: shorter than the parser would let through. */
export const seconds = (ttl: number) => ttl as TtlSeconds;

/** A secret that nobody could open for real: its blob is noise. */
export function newSecret(fields: Partial<NewSecret> = {}): NewSecret {
  return {
    id: formatId(bytes(16)),
    linkHash: anyDigest(),
    accessHash: anyDigest(),
    receiptHash: anyDigest(),
    share: createShare(),
    blob: storedCiphertext(bytes(1_200)),
    ttl: seconds(1_000),
    passphrase: false,
    ...fields,
  };
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
