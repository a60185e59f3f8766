import { hostname } from "node:os";
import type { AuditLine } from "./record.ts";

/** RFC 5424, section 6.2.1: facility 13 is "log audit", severity 6 is informational. */
const PRIORITY = 13 * 8 + 6;

/** Printable ASCII of a bounded length, or the sign for "not known". */
function headerField(text: string, longest: number): string {
  return text.replace(/[^!-~]/g, "").slice(0, longest) || "-";
}

const HOST = headerField(hostname(), 255);

/**
 * One audit line as a message of RFC 5424, framed by its length (RFC 6587, section 3.4.1, and RFC 5425,
 * section 4.3). The message is the line's canonical JSON: what the hash of the next line is made of.
 */
export function frame({ at, audit }: Pick<AuditLine, "at" | "audit">, form: string): Buffer {
  const header = `<${PRIORITY}>1 ${at} ${HOST} waxseal ${process.pid} ${headerField(audit, 32)} -`;
  const message = Buffer.from(`${header} ${form}`);
  return Buffer.concat([Buffer.from(`${message.length} `), message]);
}
