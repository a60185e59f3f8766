import { allocate, type Bytes, utf8, wipe } from "./bytes.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const VALUE_OF = new Int8Array(256).fill(-1);
for (let value = 0; value < ALPHABET.length; value++) VALUE_OF[ALPHABET.charCodeAt(value)] = value;

/** Base64url without padding (RFC 4648, section 5). */
export function encodeBase64url(bytes: Uint8Array): string {
  const pieces: string[] = [];
  const slice = 0x6000; // a multiple of 3, small enough to spread into a call
  for (let at = 0; at < bytes.length; at += slice) {
    pieces.push(btoa(String.fromCharCode(...bytes.subarray(at, at + slice))));
  }
  return pieces.join("").replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The same as ASCII, for what must be overwritten afterwards: nothing overwrites a string. */
export function encodeBase64urlBytes(bytes: Uint8Array): Bytes {
  const encoded = allocate(Math.ceil((bytes.length * 4) / 3));
  let buffer = 0;
  let bits = 0;
  let at = 0;
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xffff;
    for (bits += 8; bits >= 6; bits -= 6) encoded[at++] = ALPHABET.charCodeAt((buffer >>> (bits - 6)) & 63);
  }
  if (bits > 0) encoded[at] = ALPHABET.charCodeAt((buffer << (6 - bits)) & 63);
  return encoded;
}

/**
 * The bytes, or undefined for anything but the one canonical spelling: padding, white space, the
 * standard alphabet, an impossible length and stray bits in the last character are all refused
 * (RFC 4648, section 3.5), so that two different texts never mean the same bytes.
 */
export function decodeBase64url(text: string): Bytes | undefined {
  const ascii = utf8(text);
  try {
    return decodeBase64urlBytes(ascii);
  } finally {
    wipe(ascii);
  }
}

/** The same from a text's ASCII bytes, which stay the caller's to overwrite. */
export function decodeBase64urlBytes(text: Uint8Array): Bytes | undefined {
  if (text.length % 4 === 1) return undefined;
  const bytes = allocate(Math.floor((text.length * 3) / 4));
  let at = 0;
  let buffer = 0;
  let bits = 0;
  for (const code of text) {
    const value = VALUE_OF[code] ?? -1;
    if (value < 0) return undefined;
    buffer = ((buffer << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (buffer >>> bits) & 0xff;
    }
  }
  return (buffer & ((1 << bits) - 1)) === 0 ? bytes : undefined;
}
