import { storedDigest } from "../envelope/tokens.ts";
import { type HeldSpans, progressOf } from "./held-spans.ts";
import type { SecretRecord, SecretState } from "./store.ts";

/**
 * How many events a record keeps. Wrong passphrases and unlocks can alternate for ever, so from
 * here on the oldest but the first ("sealed") makes room. The Lua scripts know the same number.
 */
export const MAX_EVENTS = 64;

/** What a store keeps of a secret, as it was last written; `asOf` makes the record of a moment from it. */
export interface Facts extends Omit<SecretRecord, "endedAt" | "triesLeft" | "upload"> {
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

/** Copies, so that nothing a caller does reaches back. Past its time, what has not ended reads as expired. */
export function asOf(facts: Facts, now: number, passphraseTries: number): SecretRecord {
  const ranOut = isUnended(facts.state) && now >= facts.expiresAt;
  const endedAt = ranOut ? facts.expiresAt : facts.endedAt;
  const events = facts.events.map((event) => ({ ...event }));
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
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(facts.state === "uploading" && !ranOut ? { upload: progressOf(facts.held, facts.size) } : {}),
  };
}
