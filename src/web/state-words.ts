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

export const EVENT_WORDS = [
  { name: "sealed", words: "Sealed" },
  { name: "wrong-passphrase", words: "Wrong passphrase" },
  { name: "locked", words: "Locked" },
  { name: "unlocked", words: "Unlocked" },
  { name: "opened", words: "Opened" },
  { name: "received", words: "Received by the browser that opened it" },
  { name: "expired", words: "Expired unopened" },
  { name: "deleted", words: "Deleted" },
  { name: "lost", words: "Lost" },
] as const satisfies readonly { name: EventKind; words: string }[];

/** An upload that was given up ends as expired, though it never was a secret that somebody could open. */
export function stateWords({ state, events }: Pick<SecretRecord, "state" | "events">): StateWords {
  const wasSealed = events.some(({ kind }) => kind === "sealed");
  const told = state === "expired" && !wasSealed ? "abandoned" : state;
  return STATE_WORDS.find(({ name }) => name === told) ?? STATE_WORDS[0];
}

export function eventWords(kind: EventKind): string {
  return EVENT_WORDS.find(({ name }) => name === kind)?.words ?? kind;
}

/** "21 Nov 2026, 14:32 UTC": for pages that can't know the reader's time zone. */
export function timeWords(milliseconds: number): string {
  const options = { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" } as const;
  return `${new Date(milliseconds).toLocaleString("en-GB", options)} UTC`;
}
