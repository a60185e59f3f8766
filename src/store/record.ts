import { storedDigest } from "../envelope/tokens.ts";
import { type HeldSpans, progressOf } from "./held-spans.ts";
import type { SecretEvent, SecretRecord, SecretState } from "./store.ts";

/**
 * How many events a record keeps. Wrong passphrases and unlocks can alternate for ever, so from
 * here on the oldest but the first ("sealed") makes room. The Lua scripts know the same number.
 */
export const MAX_EVENTS = 64;
/** And how many notes, beside those: the oldest note makes room for a note, and no other event does. */
export const MAX_NOTES = 32;

/** What a store keeps of a secret, as it was last written; `asOf` makes the record of a moment from it. */
export interface Facts extends Omit<SecretRecord, "endedAt" | "triesLeft" | "upload" | "rules" | "sender"> {
  /**
   * In the order in which they were noted. They are kept apart from the other events, so that neither
   * push each other out, and a program that knows nothing of notes can read the record.
   */
  readonly notes: readonly SecretEvent[];
  readonly rules: string | undefined;
  readonly sender: string | undefined;
  readonly endedAt: number | undefined;
  /** Wrong passphrases since the beginning or the last unlock. */
  readonly tries: number;
  /** While it is uploading: what has arrived. */
  readonly held: HeldSpans;
}

export function isLive(state: SecretState): state is "sealed" | "locked" {
  return state === "sealed" || state === "locked";
}

/** Nothing has ended it, so time still may. */
export function isUnended(state: SecretState): state is "uploading" | "sealed" | "locked" {
  return state === "uploading" || isLive(state);
}

/**
 * Events and notes by their time, an end last. After a failover a note may have been dated by another
 * clock: none is told as earlier than the seal, or as later than the end.
 */
function timeline({ events, notes }: Facts, endedAt: number | undefined): SecretEvent[] {
  const [first, ...others] = events.map((event) => ({ ...event }));
  if (first?.kind !== "sealed") return first ? [first, ...others] : [];
  const latest = endedAt ?? Number.POSITIVE_INFINITY;
  const dated = notes.map(({ at, kind }) => ({ at: Math.min(Math.max(at, first.at), latest), kind }));
  // Of the same moment, a note is first: who is refused, or only looks, tries afterwards.
  return [first, ...[...dated, ...others].sort((a, b) => a.at - b.at)];
}

/** Copies, so that nothing a caller does reaches back. Past its time, what has not ended reads as expired. */
export function asOf(facts: Facts, now: number, passphraseTries: number): SecretRecord {
  const ranOut = isUnended(facts.state) && now >= facts.expiresAt;
  const isGivenUp = ranOut && facts.state === "uploading";
  const endedAt = ranOut ? facts.expiresAt : facts.endedAt;
  const events = timeline(facts, endedAt);
  if (ranOut) events.push({ at: facts.expiresAt, kind: "expired" });
  return {
    id: facts.id,
    linkHash: storedDigest(facts.linkHash.slice()),
    receiptHash: storedDigest(facts.receiptHash.slice()),
    state: ranOut ? "expired" : facts.state,
    passphrase: facts.passphrase,
    size: facts.size,
    createdAt: facts.createdAt,
    expiresAt: facts.expiresAt,
    triesLeft: Math.max(0, passphraseTries - facts.tries),
    events,
    ...(facts.rules === undefined ? {} : { rules: facts.rules }),
    ...(facts.sender === undefined || isGivenUp ? {} : { sender: facts.sender }),
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(facts.state === "uploading" && !ranOut ? { upload: progressOf(facts.held, facts.size) } : {}),
  };
}
