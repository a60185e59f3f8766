import { argon2id as noble } from "@noble/hashes/argon2.js";
import type { Bytes } from "./bytes.ts";
import { ARGON2ID } from "./suite.ts";

/**
 * Argon2id (RFC 9106) at the one cost of suite 0x02: 46 MiB of memory and some hundred milliseconds
 * in which nothing else runs. Call it in a worker; everyone else is handed a `PassphraseHash`.
 */
export function argon2id(passphrase: Bytes, salt: Bytes): Bytes {
  const { memoryKiB, passes, lanes, version, length } = ARGON2ID;
  return noble(passphrase, salt, { m: memoryKiB, t: passes, p: lanes, version, dkLen: length }) as Bytes;
}
