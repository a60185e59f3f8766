import { createHash } from "node:crypto";
import type { SecretId } from "../envelope/tokens.ts";

/**
 * Eight bytes of SHA-256: enough to follow one secret through the log, and one-way. An id is 128
 * random bits, so nobody can find it by trying; only who knows the id already can tell its lines.
 */
export function fingerprint(id: SecretId): string {
  return createHash("sha256").update("waxseal/1 audit\0").update(id).digest("hex").slice(0, 16);
}
