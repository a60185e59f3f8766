import type { NotifyKind } from "../config/notify-kinds.ts";
import type { RefusalReason } from "../store/store.ts";
import type { NotifyEvent } from "./event.ts";

/** What follows "The secret … ". */
const PREDICATES: Readonly<Record<NotifyKind, string>> = {
  created: "was sealed",
  opened: "was opened",
  expired: "was not opened in time and is deleted",
  deleted: "was deleted by its sender",
  locked: "is locked after too many wrong passphrases",
  unlocked: "was unlocked by its sender",
  lost: "was lost by the store before anybody opened it",
  refused: "was not handed over",
  "wrong-passphrase": "was tried with a wrong passphrase",
};

const REASONS: Readonly<Record<RefusalReason, string>> = {
  network: "the attempt came from a network that may not open it",
  country: "the attempt came from a country that may not open it",
  "not-yet": "it may not be opened yet",
  hours: "it may not be opened at this hour",
};

/** The longest label, in characters as people count them. */
export const MAX_LABEL = 100;

/** A place where mail and chat programs would make a link, a mention or a channel out of a text. */
const LINKED = /([.:/@#~])(?=\S)/gu;
/** Shows nothing, breaks no line, and is part of no address. */
const WORD_JOINER = "\u2060";

/**
 * A label on one line, without anything that can't be seen or that turns the direction of writing. It
 * comes from whoever created the secret, and goes to people who trust us: what looks like an address
 * stays readable and can't be clicked, and "@channel" calls nobody.
 */
export function plainLabel(label: string): string {
  const visible = label
    .normalize("NFC")
    .replace(/[\p{C}\p{Z}]+/gu, " ")
    .trim();
  return [...visible].slice(0, MAX_LABEL).join("").replace(LINKED, `$1${WORD_JOINER}`);
}

/** "2026-01-02 03:04:05 UTC" */
export function timeOf({ at }: Pick<NotifyEvent, "at">): string {
  return `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** "was not handed over: it may not be opened yet" */
export function predicateOf({ kind, reason }: NotifyEvent): string {
  return reason === undefined ? PREDICATES[kind] : `${PREDICATES[kind]}: ${REASONS[reason]}`;
}

/** One sentence for a chat. `address` only where the event may show one. */
export function sentenceOf(event: NotifyEvent): string {
  const label = event.label === undefined ? "" : plainLabel(event.label);
  const subject = label === "" ? "A secret" : `The secret “${label}”`;
  const from = event.address === undefined ? "" : `, from ${event.address}`;
  return `${subject} ${predicateOf(event)}${from} (${timeOf(event)}, ${event.secret} in the audit log).`;
}
