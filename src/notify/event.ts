import { NOTIFY_KINDS, type NotifyKind } from "../config/notify-kinds.ts";
import type { RefusalReason } from "../store/store.ts";

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

const isKnown = (kind: unknown) => NOTIFY_KINDS.some((known) => known === kind);

/** A delivery's body, as notices.ts writes it. Undefined for what only another version can tell. */
export function parseEvent(body: string): NotifyEvent | undefined {
  let value: Partial<NotifyEvent> | null;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  const isEvent = isKnown(value?.kind) && typeof value?.at === "number" && typeof value.secret === "string";
  return isEvent ? (value as NotifyEvent) : undefined;
}
