import type { RefusalReason } from "../store/store.ts";

/** What happened to a secret. `visited`: a link holder looked at it, said once in a while. `redelivered`: the share went out again, to the browser that had opened it. */
export type SecretEvent =
  | "created"
  | "upload-begun"
  | "upload-abandoned"
  | "visited"
  | "opened"
  | "redelivered"
  | "expired"
  | "deleted"
  | "locked"
  | "unlocked";

/** A token that fits nothing, a wrong passphrase, a locked secret, or an opening that its rules refuse. */
export type DeniedReason = "not-found" | "wrong-passphrase" | "locked" | `refused-${RefusalReason}`;
/** What the operator's demands on a new secret were not met by. */
export type CreateRefusedReason = "network" | "ttl" | "passphrase";

interface OfSecret {
  /** Its fingerprint, never its id. */
  readonly secret: string;
}
interface OfRequest {
  readonly requestId?: string | undefined;
  /** As `AUDIT_ADDRESSES` has it. */
  readonly address?: string | undefined;
}
interface OfNotification extends OfSecret {
  /** What the notification says: `opened`, `expired` and so on. */
  readonly told: string;
  /** The destination's name, as the operator wrote it or as the program calls it; never an address. */
  readonly channel: string;
  readonly attempts: number;
}

/**
 * Every kind of audit line, with what it says beside its place in the chain. Whoever needs another
 * kind adds it here, and each new member to `AUDIT_MEMBERS`. Values are plain ASCII texts and whole
 * numbers from 0 on; none may hold an id, a proof, a token, a passphrase, a label or an e-mail address.
 */
export type AuditRecord =
  | ({ readonly audit: SecretEvent } & OfSecret & OfRequest)
  | ({ readonly audit: "denied"; readonly reason: DeniedReason } & OfSecret & OfRequest)
  | ({ readonly audit: "create-refused"; readonly reason: CreateRefusedReason } & OfRequest)
  | ({ readonly audit: "notified" | "notification-dead" } & OfNotification)
  | { readonly audit: "trail-started"; readonly version: string; readonly format: number }
  | { readonly audit: "trail-ended" }
  /** Redis keeps the hash of the line with this number. */
  | { readonly audit: "anchored"; readonly anchorSeq: number; readonly anchorHash: string }
  /** So many lines before this one never went to the syslog receiver. */
  | { readonly audit: "syslog-dropped"; readonly dropped: number };

/** The place of a line in its chain. */
export interface Link {
  /** RFC 3339, UTC. A collector may replace pino's own `time`; this one the hash covers. */
  readonly at: string;
  /** Random, of the process's run. */
  readonly chain: string;
  /** 0, 1, 2… */
  readonly seq: number;
  /** SHA-256 of the line before, as hexadecimal digits; all zeros in the first one. */
  readonly prev: string;
}

export type AuditLine = AuditRecord & Link;
type KeysOfEach<T> = T extends unknown ? keyof T : never;
type Member = KeysOfEach<AuditLine>;

/** What the hash covers. A member that is not here does not compile, and a test ties the list to the format. */
const members: Readonly<Record<Member, true>> = {
  address: true,
  anchorHash: true,
  anchorSeq: true,
  at: true,
  attempts: true,
  audit: true,
  chain: true,
  channel: true,
  dropped: true,
  format: true,
  prev: true,
  reason: true,
  requestId: true,
  secret: true,
  seq: true,
  told: true,
  version: true,
};
/** In the order of the canonical form: sorted by code units (RFC 8785, section 3.2.3). */
export const AUDIT_MEMBERS: readonly string[] = Object.keys(members).sort();

/** Raised when `AUDIT_MEMBERS` changes, so that an older program does not call a newer line forged. */
export const AUDIT_FORMAT = 1;
