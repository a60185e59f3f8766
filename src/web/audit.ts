import { createHash } from "node:crypto";
import type { Logger } from "pino";
import type { SecretId } from "../envelope/tokens.ts";
import { currentRequestId } from "./request-log.ts";

/**
 * `redelivered`: the share went out again, to the browser that had opened the secret. `denied`: a
 * token that fits nothing, a wrong passphrase, or a locked secret, as `reason` says.
 */
export type AuditEvent =
  | "created"
  | "upload-begun"
  | "upload-abandoned"
  | "opened"
  | "redelivered"
  | "expired"
  | "deleted"
  | "locked"
  | "unlocked"
  | "denied";
export type DeniedReason = "not-found" | "wrong-passphrase" | "locked";

export interface Audit {
  (event: Exclude<AuditEvent, "denied">, id: SecretId): void;
  (event: "denied", id: SecretId, reason: DeniedReason): void;
}

/**
 * Eight bytes of SHA-256: enough to follow one secret through the log, and one-way. An id is 128
 * random bits, so nobody can find it by trying; only who knows the id already can tell its lines.
 */
export function fingerprint(id: SecretId): string {
  return createHash("sha256").update("waxseal/1 audit\0").update(id).digest("hex").slice(0, 16);
}

/** One line per event, on the same log as the requests and told apart by `audit`. */
export function createAudit(log: Logger): Audit {
  return (event: AuditEvent, id: SecretId, reason?: DeniedReason) => {
    const requestId = currentRequestId();
    log.info(
      {
        audit: event,
        secret: fingerprint(id),
        ...(reason === undefined ? {} : { reason }),
        ...(requestId === undefined ? {} : { requestId }),
      },
      `secret ${event}`,
    );
  };
}
