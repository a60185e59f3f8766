import { encodeBase64url } from "../envelope/base64url.ts";
import { type ClaimToken, createClaim, parseClaim, type SecretId } from "../envelope/tokens.ts";

/**
 * A tab's claim on a secret: made before the first request to open it, and kept through a reload, so
 * that a lost answer can be asked for again by this tab and by nobody else.
 */
const key = (id: SecretId) => `waxseal.claim.${id}`;

export function heldClaim(id: SecretId): ClaimToken | undefined {
  try {
    return parseClaim(sessionStorage.getItem(key(id)));
  } catch {
    return undefined;
  }
}

export function claimFor(id: SecretId): ClaimToken {
  const claim = heldClaim(id) ?? createClaim();
  try {
    sessionStorage.setItem(key(id), encodeBase64url(claim));
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
