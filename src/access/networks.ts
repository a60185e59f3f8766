import { BlockList } from "node:net";
import { addressBytes, formatAddress } from "../config/network.ts";

/** A set of addresses. */
export interface Networks {
  /** False for what is no address: nobody knows where that came from. */
  has(address: string | undefined): boolean;
}

/**
 * A client's address as rules are written: without the zone that names an interface of this machine,
 * and IPv4 out of the IPv6 notation in which a dual-stack socket gives it. Undefined where it is no
 * address: a closed connection has none, and a proxy may write anything into X-Forwarded-For.
 */
export function plainAddress(address: string | undefined): string | undefined {
  const bytes = addressBytes((address ?? "").replace(/%[^%]*$/, ""));
  return bytes && formatAddress(bytes);
}

const familyOf = (address: string) => (address.includes(":") ? "ipv6" : "ipv4");

/** From ranges and addresses as `parseNetwork` writes them. */
export function createNetworks(list: readonly string[]): Networks {
  // One for each: in a common one, "::/0" holds all of IPv4 as well.
  const addresses = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const network of list) {
    const [address = "", prefix] = network.split("/");
    const family = familyOf(address);
    if (prefix === undefined) addresses[family].addAddress(address, family);
    else addresses[family].addSubnet(address, Number(prefix), family);
  }
  return {
    has(address) {
      const plain = plainAddress(address);
      if (plain === undefined) return false;
      const family = familyOf(plain);
      return addresses[family].check(plain, family);
    },
  };
}
