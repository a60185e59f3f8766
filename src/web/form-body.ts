import type { Request, RequestHandler } from "express";
import { allocate, type Bytes, copyOf } from "../envelope/bytes.ts";
import { hasBody, readBody } from "./read-body.ts";

/** A submitted form's fields as bytes, so that they can be overwritten afterwards. */
export type FormFields = ReadonlyMap<string, Bytes>;

/** The body of an `application/x-www-form-urlencoded` request, undecoded; undefined for any other. */
export async function readFormBody(req: Request, limit: number): Promise<Uint8Array | undefined> {
  if (!hasBody(req) || !req.is("application/x-www-form-urlencoded")) return undefined;
  return readBody(req, limit);
}

/** The same before a handler, as `req.body`. */
export function createFormBody(limit: number): RequestHandler {
  return async (req, _res, next) => {
    req.body = await readFormBody(req, limit);
    next();
  };
}

const PLUS = 0x2b;
const PERCENT = 0x25;
const SPACE = 0x20;

/** -1 where it is none. */
function hexDigit(code = 0): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20; // in lower case
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function decode(encoded: Uint8Array): Bytes {
  const decoded = allocate(encoded.length);
  let length = 0;
  for (let i = 0; i < encoded.length; i++) {
    const code = encoded[i] ?? 0;
    const high = code === PERCENT ? hexDigit(encoded[i + 1]) : -1;
    const low = high < 0 ? -1 : hexDigit(encoded[i + 2]);
    if (low >= 0) {
      decoded[length++] = high * 16 + low;
      i += 2;
    } else {
      decoded[length++] = code === PLUS ? SPACE : code;
    }
  }
  const exact = copyOf(decoded.subarray(0, length));
  decoded.fill(0);
  return exact;
}

/** Our longest form has twenty. Of three million empty ones, taking each apart would hold up everybody. */
export const MAX_FIELDS = 32;

/**
 * Takes a form apart (URL Standard, "application/x-www-form-urlencoded parsing") without ever making
 * a string of it, and overwrites the body it came from. Of a repeated name, the last one counts; what
 * comes after the last field allowed is left out.
 */
export function parseForm(body: unknown): FormFields {
  const fields = new Map<string, Bytes>();
  if (!(body instanceof Uint8Array)) return fields;
  for (let start = 0, taken = 0; start < body.length && taken < MAX_FIELDS; taken++) {
    const found = body.indexOf(0x26, start); // &
    const end = found < 0 ? body.length : found;
    const pair = body.subarray(start, end);
    const equals = pair.indexOf(0x3d); // =
    const name = decode(pair.subarray(0, equals < 0 ? pair.length : equals));
    const value = equals < 0 ? new Uint8Array(0) : decode(pair.subarray(equals + 1));
    fields.set(decodeText(name), value);
    start = end + 1;
  }
  body.fill(0);
  return fields;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Bytes as text, without the copy that `Buffer.from` would leave in the pool which all small Buffers share. */
export function decodeText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

export function textOf(fields: FormFields, name: string): string {
  return decodeText(fields.get(name) ?? allocate(0));
}

/** Forms carry line ends as CR LF (HTML, "constructing the entry list"); a field's own value has LF. */
export function withUnixLineEnds(text: Bytes): Bytes {
  const kept = allocate(text.length);
  let length = 0;
  text.forEach((byte, i) => {
    if (byte !== 0x0d || text[i + 1] !== 0x0a) kept[length++] = byte;
  });
  text.fill(0);
  return kept.subarray(0, length);
}
