import { type Bytes, decodeUtf8, equalBytes, isWellFormed, utf8 } from "./bytes.ts";
import { UnreadableError, UnsealableError } from "./errors.ts";

/** What the envelope says of each thing inside it. */
export interface PartDescription {
  readonly kind: "text" | "file";
  readonly name?: string;
  readonly type?: string;
  /** Bytes. */
  readonly size: number;
}

/** One thing to be sealed. `content` may stream, and must deliver exactly `size` bytes. */
export interface Part extends PartDescription {
  readonly content: Uint8Array | AsyncIterable<Uint8Array>;
}

const MAX_META_BYTES = 1 << 20;
/**
 * A thousand files and the text. A mebibyte of meta has room for over 40,000 parts, and whoever opens
 * them builds a row, or an entry of a zip, for each.
 */
const MAX_PARTS = 1_001;

/**
 * Throws `UnsealableError` for text that UTF-8 cannot carry: the recipient would read something else
 * than the sender wrote.
 */
export function textPart(text: string): Part {
  if (!isWellFormed(text)) {
    throw new UnsealableError(
      "The text holds half a character, which can't be sent. Type or paste it again.",
    );
  }
  const content = utf8(text);
  return { kind: "text", size: content.length, content };
}

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

/** Field by field, in the one order that the format knows, whatever the caller's object looks like. */
function serialize(parts: readonly PartDescription[]): Bytes {
  const described = parts.map(({ kind, name, type, size }) => ({
    kind,
    ...(name === undefined ? {} : { name }),
    ...(type === undefined ? {} : { type }),
    size,
  }));
  return utf8(JSON.stringify({ parts: described }));
}

export function encodeMeta(parts: readonly PartDescription[]): Bytes {
  if (parts.length === 0) throw new UnsealableError("Enter a secret or add a file.");
  if (parts.length > MAX_PARTS) {
    throw new UnsealableError("One secret holds 1,000 files and a text at most. Add one zip file instead.");
  }
  if (!parts.every(({ size }) => isSize(size))) {
    throw new UnsealableError("A file's size is not known. Add it again.");
  }
  const meta = serialize(parts);
  if (meta.length > MAX_META_BYTES) throw new UnsealableError("The files' names are too long together.");
  return meta;
}

/** The length of meta, where the bytes that hold it can be one. */
export function checkMetaLength(length: number, plaintextLength: number): number {
  if (length > MAX_META_BYTES || 4 + length > plaintextLength) throw new UnreadableError();
  return length;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isOptionalText = (value: unknown): value is string | undefined =>
  value === undefined || typeof value === "string";

function parsePart(value: unknown): PartDescription {
  if (!isRecord(value)) throw new UnreadableError();
  const { kind, name, type, size } = value;
  if (kind !== "text" && kind !== "file") throw new UnreadableError();
  if (!isOptionalText(name) || !isOptionalText(type)) throw new UnreadableError();
  if (!isSize(size)) throw new UnreadableError();
  return { kind, ...(name === undefined ? {} : { name }), ...(type === undefined ? {} : { type }), size };
}

/**
 * Strict: a missing size, an empty list or one of too many parts means that this isn't ours. So does any spelling but the
 * one that `encodeMeta` writes (an unknown key, one key twice, white space, `1e3`), so that no two
 * readers can understand the same bytes differently (RFC 8259, section 4, leaves repeated keys open).
 */
export function parseMeta(bytes: Uint8Array): PartDescription[] {
  const value: unknown = JSON.parse(decodeUtf8(bytes));
  if (!isRecord(value) || !Array.isArray(value.parts)) throw new UnreadableError();
  if (value.parts.length === 0 || value.parts.length > MAX_PARTS) throw new UnreadableError();
  const parts = value.parts.map(parsePart);
  if (!equalBytes(serialize(parts), bytes)) throw new UnreadableError();
  return parts;
}
