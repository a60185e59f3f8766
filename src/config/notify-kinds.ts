/** What somebody outside can be told of a secret. An operator chooses among these for each webhook. */
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
