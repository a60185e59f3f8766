import type { Config } from "../config/config.ts";
import { createNetworks, plainAddress } from "./networks.ts";

/** What the operator demands of everybody. Addresses are clients' own, undefined where nobody knows. */
export interface Demands {
  readonly requirePassphrase: boolean;
  mayCreate(address: string | undefined): boolean;
  mayOpen(address: string | undefined): boolean;
  /** Seconds. */
  maxTtl(address: string | undefined): number;
  /** All that `maxTtl` may answer. */
  readonly maxTtls: ReadonlySet<number>;
}

type Settings = Pick<
  Config,
  "createAllowCidrs" | "openAllowCidrs" | "requirePassphrase" | "maxTtl" | "maxTtlByNetwork"
>;

function allow(list: readonly string[] | undefined): (address: string | undefined) => boolean {
  return list === undefined ? () => true : createNetworks(list).has;
}

export function createDemands(config: Settings): Demands {
  const byNetwork = config.maxTtlByNetwork.map(({ network, seconds }) => ({
    networks: createNetworks([network]),
    seconds,
  }));
  const all = [config.maxTtl, ...byNetwork.map(({ seconds }) => seconds)];
  const shortest = Math.min(...all);
  return {
    requirePassphrase: config.requirePassphrase,
    mayCreate: allow(config.createAllowCidrs),
    mayOpen: allow(config.openAllowCidrs),
    maxTtl(address) {
      // It may be in any of them.
      if (plainAddress(address) === undefined) return shortest;
      return byNetwork.find(({ networks }) => networks.has(address))?.seconds ?? config.maxTtl;
    },
    maxTtls: new Set(all),
  };
}
