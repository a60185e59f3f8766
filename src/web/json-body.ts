import type { Request, RequestHandler } from "express";
import type { z } from "zod";
import { wipe } from "../envelope/bytes.ts";
import { type FieldError, invalid, Problem } from "./problem.ts";
import { hasBody, readBody } from "./read-body.ts";
import { putMembers, takeMembers } from "./take-members.ts";

/** Bytes: for bodies that hold a proof and a claim, or nothing. */
export const SMALL_BODY = 4096;

const JSON_TYPE = /^application\/json(?:[ \t]*;[ \t]*charset="?utf-8"?)?$/i;

const decoder = new TextDecoder();

function parseJson(text: string): unknown {
  try {
    return text === "" ? {} : JSON.parse(text);
  } catch {
    throw invalid("The body is not valid JSON."); // the engine's own words quote the body
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The body with the `taken` members as bytes. Overwrites the Buffer that it came in. */
export function parseJsonBody(body: Buffer, taken: readonly string[] = []): unknown {
  const members = takeMembers(body, taken);
  let parsed: unknown;
  try {
    parsed = parseJson(decoder.decode(body));
  } finally {
    body.fill(0);
    if (!isObject(parsed)) wipe(...members.map(({ bytes }) => bytes));
  }
  if (isObject(parsed)) putMembers(parsed, members);
  return parsed;
}

/** Overwrites what of a body is bytes. */
export function wipeBody(req: Request): void {
  if (!isObject(req.body)) return;
  for (const value of Object.values(req.body)) if (value instanceof Uint8Array) wipe(value);
}

/**
 * Reads a body of at most `limit` bytes into `req.body`. What is too long by its own account is refused
 * before a byte of it is read; what lies about that, when the limit is reached. The members named in
 * `taken` have to be base64url, become bytes, and are never a string on the way; who uses them
 * wipes them.
 */
export function createJsonBody(limit: number, taken: readonly string[] = []): RequestHandler {
  return async (req, _res, next) => {
    const length = Number(req.get("Content-Length") ?? 0);
    const hasContent = length > 0 || req.get("Transfer-Encoding") !== undefined;
    if (hasContent && !JSON_TYPE.test(req.get("Content-Type") ?? "")) {
      return next(invalid("Send the body as application/json."));
    }
    if (length > limit) {
      return next(new Problem("too-large", `The body has ${length} bytes. The limit here is ${limit}.`));
    }
    if (hasBody(req)) req.body = parseJsonBody(await readBody(req, limit), taken);
    next();
  };
}

/** A field's error message quotes its name, so the name is kept short. */
const MAX_FIELD_NAME = 64;
/** A body of a hundred thousand unknown fields must not be answered with a sentence about each. */
const MAX_FIELD_ERRORS = 20;

function toFieldErrors(error: z.ZodError): FieldError[] {
  const errors = error.issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys") {
      return issue.keys.slice(0, MAX_FIELD_ERRORS).map((key) => ({
        field: [...issue.path, key.slice(0, MAX_FIELD_NAME)].join("."),
        message: "There is no such field. Leave it out.",
      }));
    }
    const field = issue.path.join(".");
    return field === "" ? [] : [{ field, message: issue.message }];
  });
  return errors.slice(0, MAX_FIELD_ERRORS);
}

/** The body as the schema has it, or a 400 that names every field that is wrong, up to twenty. */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const errors = toFieldErrors(result.error);
  if (errors.length === 0) throw invalid("The body must be a JSON object.");
  throw invalid("Correct the fields named in errors.", errors);
}
