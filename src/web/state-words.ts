import type { EventKind, SecretRecord, SecretState } from "../store/store.ts";
import type { StateWords } from "./views.ts";

/** What became of a secret, in the sender's words: for the receipt page and the assisted one alike. */
export const STATE_WORDS = [
  {
    name: "uploading",
    heading: "Being sent",
    summary: "It has not arrived whole. Nobody can open it yet.",
    seal: "sealed",
  },
  { name: "sealed", heading: "Sealed", summary: "Nobody has opened it yet.", seal: "sealed" },
  {
    name: "locked",
    heading: "Locked",
    summary: "Too many wrong passphrases. Nobody has read it. Unlock it only if you know who tried.",
    seal: "locked",
  },
  {
    name: "opened",
    heading: "Opened",
    summary: "It was opened once and is gone from the server.",
    seal: "opened",
  },
  {
    name: "expired",
    heading: "Expired unopened",
    summary: "Nobody opened it. It is gone from the server.",
    seal: "expired",
  },
  { name: "deleted", heading: "Deleted", summary: "You deleted it. Nobody opened it.", seal: "deleted" },
  {
    name: "lost",
    heading: "Lost",
    summary: "The server lost it before anybody opened it. Send it again.",
    seal: "expired",
  },
  {
    name: "abandoned",
    heading: "Never sent whole",
    summary: "Sending it was given up. Nobody could open it, and nothing of it is left. Send it again.",
    seal: "expired",
  },
] as const satisfies readonly (StateWords & { name: SecretState | "abandoned" })[];

const WORDS_BY_EVENT = {
  sealed: "Sealed",
  visited: "Page visited by somebody with the link",
  "refused-network": "Refused: not from an allowed network",
  "refused-country": "Refused: not from an allowed country",
  "refused-not-yet": "Refused: not yet allowed",
  "refused-hours": "Refused: outside the allowed hours",
  "wrong-passphrase": "Wrong passphrase",
  locked: "Locked",
  unlocked: "Unlocked",
  opened: "Opened",
  received: "Received by the browser that opened it",
  expired: "Expired unopened",
  deleted: "Deleted",
  lost: "Lost",
} as const satisfies Record<EventKind, string>;
export const EVENT_WORDS = Object.entries(WORDS_BY_EVENT).map(([name, words]) => ({ name, words }));

/** An upload that was given up ends as expired, though it never was a secret that somebody could open. */
export function stateWords({ state, events }: Pick<SecretRecord, "state" | "events">): StateWords {
  const wasSealed = events.some(({ kind }) => kind === "sealed");
  const told = state === "expired" && !wasSealed ? "abandoned" : state;
  return STATE_WORDS.find(({ name }) => name === told) ?? STATE_WORDS[0];
}

export function eventWords(kind: EventKind): string {
  return WORDS_BY_EVENT[kind];
}

/** "21 Nov 2026, 14:32 UTC": for pages that can't know the reader's time zone. */
export function timeWords(milliseconds: number): string {
  const options = { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" } as const;
  return `${new Date(milliseconds).toLocaleString("en-GB", options)} UTC`;
}
