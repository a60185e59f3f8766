import { decodeBase64urlBytes } from "../envelope/base64url.ts";
import { type Bytes, wipe } from "../envelope/bytes.ts";

/** A base64url text that stood in a JSON object, by its member's name. */
export interface TakenMember {
  readonly name: string;
  readonly bytes: Bytes;
  /** What stands in the JSON text instead. */
  readonly filler: string;
}

const [QUOTE, BACKSLASH, COLON, COMMA] = [0x22, 0x5c, 0x3a, 0x2c];
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [0x7b, 0x7d, 0x5b, 0x5d];
const FILLER = 0x41; // "A"

interface Span {
  readonly from: number;
  /** The closing quote, or the end of the text. */
  readonly to: number;
  readonly escaped: boolean;
}

/** `at` is where the string's first character stands. */
function readString(json: Buffer, at: number): Span {
  let to = at;
  let escaped = false;
  while (to < json.length && json[to] !== QUOTE) {
    if (json[to] === BACKSLASH) {
      escaped = true;
      to += 1;
    }
    to += 1;
  }
  return { from: at, to: Math.min(to, json.length), escaped };
}

/** The strings that are values of members of the outermost object, as far as the text is one. */
function* stringMembers(json: Buffer): Generator<{ key: Span; value: Span }> {
  let depth = 0;
  let key: Span | undefined;
  let isValue = false;
  for (let at = 0; at < json.length; at++) {
    switch (json[at]) {
      case QUOTE: {
        const text = readString(json, at + 1);
        if (depth === 1 && isValue && key) yield { key, value: text };
        else if (depth === 1 && !isValue) key = text;
        at = text.to;
        break;
      }
      case COLON:
        if (depth === 1) isValue = true;
        break;
      case COMMA:
        if (depth === 1) isValue = false;
        break;
      case OPEN_BRACE:
      case OPEN_BRACKET:
        depth += 1;
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        depth -= 1;
        break;
    }
  }
}

/**
 * Takes the named members' values out of a JSON text's own bytes, before anything makes a string of
 * it: a string can't be overwritten, and stays in memory until the engine gives its place to something
 * else. Only canonical base64url without escapes is taken, and replaced by as many letters "A", so that
 * the text is as good or bad a JSON text as it was. The caller has to parse it, and to compare.
 */
export function takeMembers(json: Buffer, names: readonly string[]): TakenMember[] {
  const wanted = names.map((name) => ({ name, spelled: Buffer.from(name) }));
  const taken: TakenMember[] = [];
  for (const { key, value } of stringMembers(json)) {
    const match = wanted.find(({ spelled }) => spelled.equals(json.subarray(key.from, key.to)));
    if (!match) continue;
    const text = json.subarray(value.from, value.to);
    const bytes = decodeBase64urlBytes(text);
    if (!bytes) continue;
    text.fill(FILLER);
    taken.push({ name: match.name, bytes, filler: "A".repeat(text.length) });
  }
  return taken;
}

/**
 * Puts what was taken into the parsed object. A name that stood there twice, and one that the engine
 * reads differently from us, get a text instead, which no parser takes for bytes.
 */
export function putMembers(object: Record<string, unknown>, taken: readonly TakenMember[]): void {
  for (const { name, bytes, filler } of taken) {
    const unique = taken.filter((other) => other.name === name).length === 1;
    if (unique && Object.hasOwn(object, name) && object[name] === filler) {
      object[name] = bytes;
    } else {
      wipe(bytes);
      object[name] = "";
    }
  }
}
