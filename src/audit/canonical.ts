import { createHash } from "node:crypto";
import { AUDIT_MEMBERS } from "./record.ts";

/** The hash that stands before the first line of a chain. */
export const NO_HASH = "0".repeat(64);

/**
 * The audit members of a line as canonical JSON (RFC 8785): sorted, without spaces, everything else
 * left out. So it stays the same whatever else a log collector adds, in whatever order and spelling it
 * writes the line again. Undefined where a member is no text and no whole number, as none ever is.
 */
export function canonicalForm(line: Readonly<Record<string, unknown>>): string | undefined {
  let form = "";
  for (const name of AUDIT_MEMBERS) {
    // Not what an object inherits.
    const value = Object.hasOwn(line, name) ? line[name] : undefined;
    if (value === undefined || value === null) continue;
    if (typeof value !== "string" && !(Number.isSafeInteger(value) && Number(value) >= 0)) return undefined;
    form += `${form === "" ? "" : ","}"${name}":${JSON.stringify(value)}`;
  }
  return `{${form}}`;
}

/** SHA-256 of a canonical form, as 64 hexadecimal digits. */
export function hashOf(form: string): string {
  return createHash("sha256").update(form).digest("hex");
}
