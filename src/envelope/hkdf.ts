import { type Bytes, concat, utf8, wipe } from "./bytes.ts";
import type { Suite } from "./suite.ts";

/** `utf8("waxseal/1 " + name) ‖ 0x00 ‖ suite`: the `info` of every derivation. */
export function label(name: string, suite: Suite, ...more: readonly Uint8Array[]): Bytes {
  return concat(utf8(`waxseal/1 ${name}`), Uint8Array.of(0x00, suite), ...more);
}

/** The platform's CryptoKey, whose name not every set of types declares globally. */
export type KeyHandle = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** Input keying material that cannot be read back out of the key. */
export function importKeyingMaterial(bytes: Bytes): Promise<KeyHandle> {
  return crypto.subtle.importKey("raw", bytes, "HKDF", false, ["deriveBits", "deriveKey"]);
}

/** HKDF-SHA-256 (RFC 5869): `length` bytes. */
export async function deriveBytes(key: KeyHandle, salt: Bytes, info: Bytes, length: number): Promise<Bytes> {
  const params = { name: "HKDF", hash: "SHA-256", salt, info };
  return new Uint8Array(await crypto.subtle.deriveBits(params, key, length * 8));
}

/** HKDF-SHA-256 straight into a non-extractable AES-256-GCM key. */
export function deriveContentKey(key: KeyHandle, salt: Bytes, info: Bytes): Promise<KeyHandle> {
  const params = { name: "HKDF", hash: "SHA-256", salt, info };
  return crypto.subtle.deriveKey(params, key, { name: "AES-GCM", length: 256 }, false, [
    "encrypt",
    "decrypt",
  ]);
}

export async function sha256(...pieces: readonly Uint8Array[]): Promise<Bytes> {
  const joined = concat(...pieces); // a copy of proofs and keys
  try {
    return new Uint8Array(await crypto.subtle.digest("SHA-256", joined));
  } finally {
    wipe(joined);
  }
}
