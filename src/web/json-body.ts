import express, { type RequestHandler } from "express";
import type { z } from "zod";
import { type FieldError, invalid, Problem } from "./problem.ts";

/** Bytes: for bodies that hold a proof and a claim, or nothing. */
export const SMALL_BODY = 4096;

const JSON_TYPE = /^application\/json(?:[ \t]*;[ \t]*charset="?utf-8"?)?$/i;

/**
 * Reads a body of at most `limit` bytes. What is too long by its own account is refused before a
 * byte of it is read; what lies about that, when the limit is reached. Bodies are never inflated:
 * a few bytes could become any number.
 */
export function createJsonBody(limit: number): RequestHandler {
  const parse = express.json({ limit, inflate: false, strict: true, type: () => true });
  return (req, res, next) => {
    const length = Number(req.get("Content-Length") ?? 0);
    const hasBody = length > 0 || req.get("Transfer-Encoding") !== undefined;
    if (hasBody && !JSON_TYPE.test(req.get("Content-Type") ?? "")) {
      return next(invalid("Send the body as application/json."));
    }
    if (length > limit) {
      return next(new Problem("too-large", `The body has ${length} bytes. The limit here is ${limit}.`));
    }
    parse(req, res, next);
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
        field: key.slice(0, MAX_FIELD_NAME),
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
