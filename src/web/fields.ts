import { z } from "zod";

/** A required field that one of the envelope's parsers reads; `message` says what it must be. */
export function field<T>(parse: (value: unknown) => T | undefined, message: string) {
  return z.unknown().transform((value, context) => {
    const parsed = parse(value);
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  });
}

/** The same, for a field that may be left out. `null` is not the same as leaving it out. */
export function optionalField<T>(parse: (value: unknown) => T | undefined, message: string) {
  return field(parse, message).optional();
}

/** "Must be 32 bytes as base64url: 43 characters without padding." */
export function base64urlOf(bytes: number): string {
  return `Must be ${bytes} bytes as base64url: ${Math.ceil((bytes * 4) / 3)} characters without padding.`;
}
