import type { Config } from "../config/config.ts";

/** 25 MiB. */
const LARGEST = 25 * 2 ** 20;

/**
 * Bytes of plaintext in one secret on the assisted pages. They need it whole in the server's memory,
 * for a form says nothing of its files' sizes until it has been read, and the envelope begins with
 * them; so this has a bound of its own, however much the scripted pages may send.
 */
export function assistedLimit({ maxSecretBytes }: Pick<Config, "maxSecretBytes">): number {
  return Math.min(maxSecretBytes, LARGEST);
}
