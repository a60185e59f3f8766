import type { RefusalReason } from "../store/store.ts";

export const NOTIFY_KINDS = [
  "created",
  "opened",
  "expired",
  "deleted",
  "locked",
  "unlocked",
  "lost",
  "refused",
  "wrong-passphrase",
] as const;
export type NotifyKind = (typeof NOTIFY_KINDS)[number];

/** What somebody outside is told. Never an id, a link, a proof or anything of the content. */
export interface NotifyEvent {
  readonly kind: NotifyKind;
  /** Milliseconds since 1970, by the store's clock. */
  readonly at: number;
  /** The audit log's fingerprint of the secret, never its id. */
  readonly secret: string;
  /** What the sender calls it, where the sender gave a label for this purpose. */
  readonly label?: string;
  /** The sender's address; only in what goes to a channel of kind `mail`. */
  readonly email?: string;
  /** Of `refused`. */
  readonly reason?: RefusalReason;
  /** Who caused it; only where the operator allows that. */
  readonly address?: string;
}
