/**
 * Opening failed. One code for every cause, and no cause attached: which check failed is nobody's
 * business but an attacker's.
 */
export class UnreadableError extends Error {
  override readonly name = "UnreadableError";
  readonly code = "unreadable";
  constructor() {
    super("This secret cannot be read with this link and passphrase. Ask the sender for a new one.");
  }
}

/** The link's text is damaged or cut short; found before any request is made. */
export class IncompleteLinkError extends Error {
  override readonly name = "IncompleteLinkError";
  readonly code = "incomplete-link";
  constructor() {
    super("Part of this link is missing. Copy the whole link, with everything after #.");
  }
}

/** What was given to be sealed does not fit the envelope. */
export class UnsealableError extends Error {
  override readonly name = "UnsealableError";
  readonly code = "unsealable";
}
