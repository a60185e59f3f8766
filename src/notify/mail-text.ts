import type { NotifyKind } from "../config/notify-kinds.ts";
import type { NotifyEvent } from "./event.ts";
import { plainLabel, predicateOf, timeOf } from "./words.ts";

/** What senders are told by mail: what became of it, and that something has to be done. */
export const MAILED = ["opened", "expired", "locked", "lost"] as const satisfies readonly NotifyKind[];
export type MailedKind = (typeof MAILED)[number];

const ADVICE: Readonly<Record<MailedKind, string>> = {
  opened:
    "It can't be opened again. If that was not the person you meant, change what was in it\nwherever it is in use.",
  expired: "Nobody opened it, and nobody can any more. Create it again if it is still needed.",
  locked: "Nobody opened it. Its receipt, which you have, unlocks or deletes it.",
  lost: "Nobody opened it, and nobody can any more. Create it again.",
};

export function isMailed(kind: NotifyKind): kind is MailedKind {
  return MAILED.some((mailed) => mailed === kind);
}

/** Subject and plain text. Neither holds a link or an id; `address` only where the event may show one. */
export function mailText(event: NotifyEvent & { readonly kind: MailedKind }): {
  readonly subject: string;
  readonly text: string;
} {
  const label = event.label === undefined ? "" : plainLabel(event.label);
  const named = label === "" ? "" : ` "${label}"`;
  const lines = [`When: ${timeOf(event)}`];
  if (event.address !== undefined) lines.push(`From: ${event.address}`);
  return {
    subject: `Your secret${named} ${predicateOf(event)}`,
    text: `Your secret${named} ${predicateOf(event)}.

${lines.join("\n")}

${ADVICE[event.kind]}

Whoever created the secret gave this address to be told. Waxseal sends no links by
mail; a mail that has one is not from it.
`,
  };
}
