import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";

const DAY = 86_400_000;
/** Certificates of 90 days are renewed 30 days ahead: with 14 left, renewal has failed for two weeks. */
export const SOON_DAYS = 14;

/** Whole days until it ends, rounded down; negative once it has. */
export function daysLeft(leaf: X509Certificate, now: number): number {
  return Math.floor((Date.parse(leaf.validTo) - now) / DAY);
}

function day(text: string): string {
  return new Date(text).toISOString().slice(0, 10);
}

/** Undefined where there is nothing to do about its time. */
export function describeTime(leaf: X509Certificate, now: number): string | undefined {
  if (Date.parse(leaf.validFrom) > now) {
    return `The certificate is valid only from ${day(leaf.validFrom)}, so browsers refuse it. Correct this machine's clock, or use one that is valid.`;
  }
  const days = daysLeft(leaf, now);
  if (days < 0) return `The certificate ran out on ${day(leaf.validTo)}, so browsers refuse it. Renew it.`;
  if (days > SOON_DAYS) return undefined;
  const left = days === 0 ? "within a day" : `in ${days} ${days === 1 ? "day" : "days"}`;
  return `The certificate runs out ${left}, on ${day(leaf.validTo)}. Renew it; the new files are read without a restart.`;
}

/** A URL's host as names in certificates are: IPv6 without brackets. */
export function certifiedHost({ hostname }: Pick<URL, "hostname">): string {
  return hostname.replace(/^\[|\]$/g, "");
}

export function coversHost(leaf: X509Certificate, host: string): boolean {
  return (isIP(host) === 0 ? leaf.checkHost(host, { subject: "never" }) : leaf.checkIP(host)) !== undefined;
}

/** The first few: a content network's certificate may be for a hundred. */
function describeNames({ subjectAltName }: X509Certificate): string {
  const names = subjectAltName?.split(", ") ?? ["no name at all"];
  const more = names.length > 4 ? ` and ${names.length - 4} more` : "";
  return names.slice(0, 4).join(", ") + more;
}

/** Undefined where the certificate is for the host. */
export function describeHost(leaf: X509Certificate, publicUrl: URL): string | undefined {
  const host = certifiedHost(publicUrl);
  if (coversHost(leaf, host)) return undefined;
  return `The certificate is not for ${host}, so browsers refuse it (it is for ${describeNames(leaf)}). Use one for that name, or correct PUBLIC_URL.`;
}
