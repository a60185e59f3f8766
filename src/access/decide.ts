import { isWithinHours } from "../envelope/office-hours.ts";
import type { RefusalReason } from "../store/store.ts";
import { createNetworks, plainAddress } from "./networks.ts";
import type { Rules } from "./rules.ts";

/** An address's country as ISO 3166-1 alpha-2; undefined where it isn't known. */
export type CountryOf = (address: string) => string | undefined;

export interface Attempt {
  /** Of the client, undefined where nobody knows. */
  readonly address: string | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Undefined where there is no database: then no country is known. */
  readonly countryOf: CountryOf | undefined;
}

/** Undefined where every rule holds; else the first that does not. What is not known never counts as allowed. */
export function decide(rules: Rules, { address, now, countryOf }: Attempt): RefusalReason | undefined {
  const { networks, countries, notBefore, hours } = rules;
  if (networks && !createNetworks(networks).has(address)) return "network";
  if (countries) {
    const plain = plainAddress(address);
    const country = plain && countryOf?.(plain);
    if (!country || !countries.includes(country)) return "country";
  }
  if (notBefore && now < Date.parse(notBefore)) return "not-yet";
  if (hours && !isWithinHours(hours, now)) return "hours";
  return undefined;
}
