import { createHash, timingSafeEqual } from "node:crypto";
import type { ClaimToken } from "../envelope/tokens.ts";
import type { NewSecret } from "./store.ts";

/** In place of the blob, where that follows in pieces: its length is all that was said of it. */
function lengthOnly(size: number): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE(BigInt(size));
  return length;
}

/** Which of the two there are, and where each ends. Nothing where there are none, as it was before there were any. */
function attachments({ rules, sender }: NewSecret): Buffer {
  if (rules === undefined && sender === undefined) return Buffer.alloc(0);
  const parts = [rules, sender].flatMap((text) => {
    const bytes = Buffer.from(text ?? "");
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return [length, bytes];
  });
  return Buffer.concat(parts);
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
  const attached = attachments(secret);
  return createHash("sha256")
    .update(`waxseal/1 ${blob ? "body" : "upload"}${attached.length > 0 ? " attached" : ""}\0`)
    .update(secret.id)
    .update(secret.linkHash)
    .update(secret.accessHash)
    .update(secret.receiptHash)
    .update(secret.share)
    .update(numbers)
    .update(attached)
    .update(blob ?? lengthOnly(size))
    .digest();
}

/**
 * With its digest, reckoned before anything waits: whoever gave the secret wipes its share when the time is
 * over, and what is under way then must not go on with that of a wiped one.
 */
export interface DigestedSecret extends NewSecret {
  readonly bodyDigest: Buffer;
}

/** A record keeps this of a claim, so that reading a record doesn't make anybody the claimant. */
export function digestClaim(claim: ClaimToken): Buffer {
  return createHash("sha256").update("waxseal/1 claim\0").update(claim).digest();
}

export function sameDigest(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
