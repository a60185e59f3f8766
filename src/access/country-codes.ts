/** What Intl knows beside countries: codes for users' own purposes, and for groups of countries. */
const NONE = /^(AA|Q[M-Z]|X[A-JL-Z]|ZZ|EU|EZ|UN)$/;

/**
 * An officially assigned code of ISO 3166-1 alpha-2, or XK, under which databases keep Kosovo. A code that
 * stands for another, as UK for GB, is none: no database knows it, so nobody could open.
 */
export function isCountry(code: string): boolean {
  if (!/^[A-Z]{2}$/.test(code) || NONE.test(code)) return false;
  const names = new Intl.DisplayNames("en", { type: "region", fallback: "none" });
  return names.of(code) !== undefined && new Intl.Locale(`und-${code}`).region === code;
}
