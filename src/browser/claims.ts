import { encodeBase64url } from "../envelope/base64url.ts";
import { type ClaimToken, createClaim, parseClaim, type SecretId } from "../envelope/tokens.ts";

/**
 * A tab's claim on a secret: made before the first request to open it, and kept through a reload, so
 * that a lost answer can be asked for again by this tab and by nobody else. Beside it stands when it was
 * last used, by this computer's own clock: the server's may differ from it by more than the window.
 */
const key = (id: SecretId) => `waxseal.claim.${id}`;

function held(id: SecretId): { readonly claim: ClaimToken; readonly asked: number } | undefined {
  try {
    const [text, asked] = (sessionStorage.getItem(key(id)) ?? "").split(" ");
    const claim = parseClaim(text);
    return claim && { claim, asked: Number(asked) };
  } catch {
    return undefined;
  }
}

/** Milliseconds since 1970: when this tab asked for the secret without getting a clear answer. */
export function unansweredSince(id: SecretId): number | undefined {
  return held(id)?.asked;
}

/** `asked`: what `unansweredSince` shall say until `dropClaim`. */
export function claimFor(id: SecretId, asked: number): ClaimToken {
  const claim = held(id)?.claim ?? createClaim();
  try {
    sessionStorage.setItem(key(id), `${encodeBase64url(claim)} ${asked}`);
  } catch {
    // Without storage the claim lives as long as the page.
  }
  return claim;
}

export function dropClaim(id: SecretId): void {
  try {
    sessionStorage.removeItem(key(id));
  } catch {
    // Nothing was kept.
  }
}
