/** What is searched for: bytes of one secret, in every form that a program might keep them in. */

export type MarkerKind =
  | "share"
  | "share, not acknowledged"
  | "ciphertext"
  | "plaintext"
  | "passphrase"
  | "link key"
  | "control";

export interface Marker {
  readonly kind: MarkerKind;
  /** Which of the secrets of its kind. */
  readonly secret: number;
  readonly bytes: Uint8Array;
}

export type Form = "bytes" | "hex" | "base64url" | "UTF-16" | "base64url in UTF-16";

export interface Pattern {
  readonly marker: Marker;
  readonly form: Form;
  readonly bytes: Buffer;
}

/**
 * What has to be seen in one piece to count as a trace, in bytes of the marker: memory that was freed
 * loses its first bytes to the allocator, so looking for the whole would find less than there is.
 */
const PIECE = 16;

function slices<T extends { slice(from: number, to: number): T; length: number }>(whole: T, length: number) {
  const pieces: T[] = [];
  for (let at = 0; at + length <= whole.length; at += length) pieces.push(whole.slice(at, at + length));
  return pieces;
}

/** At each of the three alignments, without the characters that hold bits of what stands around. */
function base64urls(bytes: Buffer): string[] {
  return [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64url");
    return encoded.slice(shift === 0 ? 0 : shift + 1, Math.floor(((bytes.length + shift) * 8) / 6));
  });
}

const isText = (bytes: Uint8Array) => bytes.every((byte) => byte >= 0x20 && byte < 0x7f);

/** Each form cut into pieces that stand for at least twelve bytes, so that chance finds none. */
export function patternsOf(marker: Marker): Pattern[] {
  const bytes = Buffer.from(marker.bytes);
  const utf16 = (text: string) => Buffer.from(text, "utf16le");
  const found: [Form, Buffer][] = slices(bytes, PIECE).map((piece) => ["bytes", piece]);
  for (const hex of slices(bytes.toString("hex"), PIECE * 2)) {
    found.push(["hex", Buffer.from(hex)], ["hex", Buffer.from(hex.toUpperCase())]);
  }
  for (const encoded of base64urls(bytes)) {
    for (const piece of slices(encoded, 20)) {
      found.push(["base64url", Buffer.from(piece)], ["base64url in UTF-16", utf16(piece)]);
      const standard = piece.replaceAll("-", "+").replaceAll("_", "/");
      if (standard !== piece) found.push(["base64url", Buffer.from(standard)]);
    }
  }
  if (isText(bytes)) {
    for (const piece of slices(bytes.toString("latin1"), PIECE)) found.push(["UTF-16", utf16(piece)]);
  }
  return found.map(([form, piece]) => ({ marker, form, bytes: piece }));
}
