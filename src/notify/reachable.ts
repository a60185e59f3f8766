import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import { addressBytes } from "../config/network.ts";

/**
 * What is not the public internet: the IANA registries of special-purpose addresses (RFC 6890) where
 * they don't say "globally reachable", and multicast. Of IPv6 only 2000::/3 is given out at all
 * (RFC 4291, section 2.4), so everything outside of it is in here as a whole: ::, ::1, fc00::/7,
 * fe80::/10, ff00::/8, 64:ff9b:1::/48 and what nobody has assigned yet.
 */
const SPECIAL = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
  "::/3",
  "4000::/2",
  "8000::/1",
  // IETF protocol assignments, Teredo among them, which carries an IPv4 address.
  "2001::/23",
  "2001:db8::/32",
  // 6to4, which carries one too and is no longer in use (RFC 7526).
  "2002::/16",
  "3fff::/20",
];

/** RFC 6052: an IPv4 address follows, and it is that one that is reached. */
const NAT64 = [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0];

type Family = "ipv4" | "ipv6";
interface Place {
  readonly text: string;
  readonly family: Family;
}

/**
 * One list for each family: of a list with both, Node takes every IPv4 address for a member of `::/3`,
 * where ::ffff:0:0/96 lies.
 */
function createMatcher(networks: readonly string[]): (place: Place) => boolean {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const network of networks) {
    const [address = "", prefix] = network.split("/");
    const family: Family = isIP(address) === 4 ? "ipv4" : "ipv6";
    if (prefix === undefined) lists[family].addAddress(address, family);
    else lists[family].addSubnet(address, Number(prefix), family);
  }
  return ({ text, family }) => lists[family].check(text, family);
}

const isSpecial = createMatcher(SPECIAL);

function format(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = bytes.flatMap((byte, i) => (i % 2 === 0 ? [(byte << 8) | (bytes[i + 1] ?? 0)] : []));
  return groups.map((group) => group.toString(16)).join(":");
}

/** Where a connection to this address ends: IPv4 in IPv6's clothes is IPv4. Undefined for a zone, or no address. */
function unwrap(address: string): Place | undefined {
  const bytes = addressBytes(address);
  if (bytes === undefined) return undefined;
  const inner = bytes.length === 16 && NAT64.every((byte, i) => bytes[i] === byte) ? bytes.slice(12) : bytes;
  return { text: format(inner), family: inner.length === 4 ? "ipv4" : "ipv6" };
}

/** `listed`: the operator named it. `public`: on the internet. `blocked`: in neither. */
export type Reachability = "listed" | "public" | "blocked";

/** Tells of an address, as DNS gives it, whether anything may be sent there. `allowed` as `parseNetwork` writes it. */
export function createJudge(allowed: readonly string[]): (address: string) => Reachability {
  const isListed = createMatcher(allowed);
  return (address) => {
    const place = unwrap(address);
    if (place === undefined) return "blocked";
    if (isListed(place)) return "listed";
    return isSpecial(place) ? "blocked" : "public";
  };
}

export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

/** As the system resolves names: /etc/hosts, search domains and all. */
export const resolveName: Resolve = (host) => lookup(host, { all: true, order: "verbatim" });

/**
 * The addresses of a URL's host, each judged: `refused` names the first that nothing may be sent to.
 * One is enough: who can add an address to a name could otherwise choose by luck. Over plain http only
 * `listed` ones will do. Throws what `resolve` throws.
 */
export async function resolveJudged(
  { hostname, protocol }: URL,
  judge: (address: string) => Reachability,
  resolve: Resolve,
): Promise<{ readonly addresses: readonly LookupAddress[] } | { readonly refused: string }> {
  const literal = hostname.replace(/^\[|\]$/g, "");
  const family = isIP(literal);
  const addresses = family === 0 ? await resolve(hostname) : [{ address: literal, family }];
  if (addresses.length === 0) throw new Error(`${hostname} has no address.`);
  const refused = addresses.find(({ address }) => {
    const verdict = judge(address);
    return verdict === "blocked" || (protocol === "http:" && verdict !== "listed");
  });
  return refused === undefined ? { addresses } : { refused: refused.address };
}
