import type { LinkKeys } from "../envelope/keys.ts";
import { SUITE_PASSPHRASE } from "../envelope/suite.ts";
import { ApiProblem, explain } from "./api.ts";
import { claimFor, dropClaim, unansweredSince } from "./claims.ts";
import { element, formatTime, show, showProblem } from "./dom.ts";
import { heldFor, showHeld } from "./held.ts";

/** The screens for answers that leave nothing to try. False where the error isn't one of those. */
export function showRefusal(keys: LinkKeys, error: unknown): boolean {
  if (!(error instanceof ApiProblem)) return false;
  const { code, state = "", endedAt = "" } = error.body;
  if (code === "not-found") show("unknown");
  else if (code === "locked") show("locked");
  else if (code === "refused") showRefused(error);
  else if (code === "ended") showEnded(keys, state, new Date(endedAt));
  else return false;
  return true;
}

/** By the sender's rules or the operator's: nothing was used up. */
function showRefused({ body: { reason, notBefore } }: ApiProblem): void {
  const isLater = reason === "not-yet" || reason === "hours";
  const from = notBefore && formatTime(new Date(notBefore));
  const words: Readonly<Record<string, string>> = {
    country: "The sender allowed only certain countries.",
    "not-yet": `It can be opened from ${from ?? "a later time on"}.`,
    hours: "It can be opened only at certain hours.",
  };
  show("refused", {
    heading: isLater ? "You can't open this now" : "You can't open this from here",
    refusal: words[reason ?? ""] ?? "Only certain networks are allowed.",
  });
}

function showEnded(keys: LinkKeys, state: string, ended: Date): void {
  // Opened, but by this very tab a moment ago: the answer was lost, and may be asked for again.
  const asked = unansweredSince(keys.id);
  if (state === "opened" && asked && heldFor(asked) > 0) showHeld(asked);
  else show(state === "opened" ? "already" : state, { ended });
}

/** Codes after which a claim can't have won, so that nothing is held for it. */
const REFUSED = new Set(["wrong-passphrase", "locked", "refused", "ended", "not-found"]);

/**
 * What any answer but the share leads to. `before`: when the same claim asked already and the answer
 * was lost (milliseconds since 1970).
 */
export function showNotOpened(keys: LinkKeys, error: unknown, before: number | undefined): void {
  const { code, state, triesLeft } = error instanceof ApiProblem ? error.body : { code: "" };
  // Who lost the answer, reloaded and mistyped the passphrase hears the same as who came too late.
  const mistyped = state === "opened" && keys.suite === SUITE_PASSPHRASE;
  if (code === "ended" && mistyped && before && heldFor(before) > 0) {
    claimFor(keys.id, before);
    showPassphraseProblem("Enter the passphrase again. If it was right, somebody else opened it.");
    return;
  }
  if (REFUSED.has(code)) dropClaim(keys.id);
  if (code === "wrong-passphrase") {
    showWrongPassphrase(triesLeft ?? 0);
  } else if (!showRefusal(keys, error)) {
    showWaitingProblem(explain(error, "The server can't open it right now. Nothing was lost. Try again."));
  }
}

export function showWaitingProblem(words: string): void {
  show("waiting");
  showProblem(words, element("open-button", HTMLButtonElement));
}

function showPassphraseProblem(words: string): void {
  show("waiting");
  showProblem(words, element("passphrase", HTMLInputElement));
}

function showWrongPassphrase(triesLeft: number): void {
  if (triesLeft === 0) return void show("locked");
  const tries = triesLeft === 1 ? "1 try left" : `${triesLeft} tries left`;
  showPassphraseProblem(`That passphrase is wrong. The secret is still sealed. ${tries}.`);
}
