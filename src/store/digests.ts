import { createHash, timingSafeEqual } from "node:crypto";
import type { ClaimToken } from "../envelope/tokens.ts";
import type { NewSecret } from "./store.ts";

/** In place of the blob, where that follows in pieces: its length is all that was said of it. */
function lengthOnly(size: number): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE(BigInt(size));
  return length;
}

/**
 * What makes two creates the same: every field, the variable one last so that no two field lists
 * read alike. It covers the share, which has 256 bits of its own and can't be guessed from it.
 */
export function digestBody(secret: NewSecret): Buffer {
  const { blob, size } = secret;
  const numbers = Buffer.alloc(9);
  numbers.writeUIntBE(secret.ttl, 0, 6);
  numbers.writeUInt8(secret.passphrase ? 1 : 0, 8);
  return createHash("sha256")
    .update(blob ? "waxseal/1 body\0" : "waxseal/1 upload\0")
    .update(secret.id)
    .update(secret.linkHash)
    .update(secret.accessHash)
    .update(secret.receiptHash)
    .update(secret.share)
    .update(numbers)
    .update(blob ?? lengthOnly(size))
    .digest();
}

/** A record keeps this of a claim, so that reading a record doesn't make anybody the claimant. */
export function digestClaim(claim: ClaimToken): Buffer {
  return createHash("sha256").update("waxseal/1 claim\0").update(claim).digest();
}

export function sameDigest(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
