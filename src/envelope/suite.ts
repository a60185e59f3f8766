/**
 * The closed table of suites, by the first byte of a link. The link names the suite; neither the
 * server nor the sealed bytes can change it.
 */
export const SUITE_PLAIN = 0x01;
export const SUITE_PASSPHRASE = 0x02;

export type Suite = typeof SUITE_PLAIN | typeof SUITE_PASSPHRASE;

export function isSuite(value: number | undefined): value is Suite {
  return value === SUITE_PLAIN || value === SUITE_PASSPHRASE;
}

/** Argon2id for `SUITE_PASSPHRASE` (RFC 9106; the costs are OWASP's first choice for m = 46 MiB). */
export const ARGON2ID = { memoryKiB: 47_104, passes: 1, lanes: 1, version: 0x13, length: 32 } as const;
