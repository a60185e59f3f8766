/** Bytes that own their memory: what Web Crypto accepts, and what `wipe` can overwrite. */
export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function utf8(text: string): Bytes {
  return encoder.encode(text);
}

/** Throws a TypeError where the bytes are not well-formed UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string {
  return strictDecoder.decode(bytes);
}

/**
 * Zeros at an address that stays the same. V8 keeps typed arrays of up to 64 bytes in its own heap
 * unless they are given an ArrayBuffer, and each collection that moves one leaves a copy of it behind,
 * which no `wipe` reaches. `slice` makes such arrays too: `copyOf` doesn't.
 */
export function allocate(length: number): Bytes {
  return new Uint8Array(new ArrayBuffer(length));
}

export function copyOf(bytes: Uint8Array): Bytes {
  const copy = allocate(bytes.length);
  copy.set(bytes);
  return copy;
}

export function concat(...pieces: readonly Uint8Array[]): Bytes {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  const whole = allocate(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

export function randomBytes(length: number): Bytes {
  return crypto.getRandomValues(allocate(length));
}

/** False where a surrogate stands alone: `utf8` would write U+FFFD in its place without a word. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

/**
 * Overwrites key material. The engine may have made copies; this removes the one we can reach.
 * A buffer that was transferred to a worker is no longer ours (and `fill` would throw on it).
 */
export function wipe(...buffers: readonly (Uint8Array | undefined)[]): void {
  for (const buffer of buffers) if (buffer && buffer.length > 0) buffer.fill(0);
}

/** Compares without an early exit, so that the time does not tell where two values differ. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}
