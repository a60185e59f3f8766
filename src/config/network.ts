import { isIP } from "node:net";
import type { NetworkTtl } from "./config.ts";
import { formatDuration, parseDuration, parseList } from "./units.ts";
import { quote, ValueError } from "./value-error.ts";

const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

function ipv6Bytes(text: string): number[] {
  // The URL parser writes each IPv6 address in one way, without dotted parts.
  const [head = "", tail] = canonicalIpv6(text).split("::");
  const groups = (part: string) =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const [first, last] = [groups(head), groups(tail ?? "")];
  const gap = new Array<number>(8 - first.length - last.length).fill(0);
  return [...first, ...gap, ...last].flatMap((group) => [group >> 8, group & 0xff]);
}

function canonicalIpv6(text: string): string {
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}

/**
 * 4 or 16 bytes; an IPv4 address that is written as IPv6 (RFC 4291, section 2.5.5.2) is its four.
 * Undefined for what is no address, and for one with a zone, which means something on one machine only.
 */
export function addressBytes(text: string): readonly number[] | undefined {
  const family = isIP(text);
  if (family === 4) return text.split(".").map(Number);
  if (family !== 6 || text.includes("%")) return undefined;
  const bytes = ipv6Bytes(text);
  return MAPPED.every((byte, i) => bytes[i] === byte) ? bytes.slice(12) : bytes;
}

/** One way to write each address: dotted, or RFC 5952 without dotted parts. */
export function formatAddress(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = [];
  for (let i = 0; i < 16; i += 2) groups.push((((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)).toString(16));
  return canonicalIpv6(groups.join(":"));
}

/** The address with all bits after the first `prefix` cleared. */
function masked(bytes: readonly number[], prefix: number): number[] {
  return bytes.map((byte, i) => byte & (0xff << Math.min(8, Math.max(0, 8 * (i + 1) - prefix))) & 0xff);
}

/**
 * A CIDR range ("10.0.0.0/8", "2001:db8::/32") or a single address, as one text for each: lower case,
 * shortest form, IPv4 out of its IPv6 notation. A range with bits set after its prefix is refused: it
 * may be a slip in either half, and would let in more people than its author thinks.
 */
export function parseNetwork(text: string): string {
  const [address = "", length, ...rest] = text.split("/");
  const bytes = addressBytes(address);
  if (bytes === undefined || rest.length > 0) throw unreadable(text);
  if (length === undefined) return formatAddress(bytes);
  const mappedBits = bytes.length === 4 && isIP(address) === 6 ? 96 : 0;
  const prefix = /^(0|[1-9][0-9]{0,2})$/.test(length) ? Number(length) - mappedBits : Number.NaN;
  if (!(prefix >= 0 && prefix <= 8 * bytes.length)) throw unreadable(text);
  const network = formatAddress(masked(bytes, prefix));
  const written = formatAddress(bytes);
  if (network === written) return `${network}/${prefix}`;
  throw new ValueError(
    `${quote(text)} has bits set after its prefix. Write ${network}/${prefix} for the range, or ${written} for the one address.`,
  );
}

/** "10.0.0.0/8, 2001:db8::/32" */
export function parseNetworks(text: string): readonly string[] {
  return parseList(text, parseNetwork);
}

/** "10.0.0.0/8=72h, 0.0.0.0/0=24h", in the order in which they are tried. */
export function parseNetworkTtls(text: string, min: number, max: number): readonly NetworkTtl[] {
  const named = new Set<string>();
  return parseList(text, (item) => {
    const [range = "", duration, ...rest] = item.split("=").map((part) => part.trim());
    if (duration === undefined || rest.length > 0) {
      throw new ValueError(`${quote(item)} is not a range and its time. Write one such as 10.0.0.0/8=72h.`);
    }
    const [network, seconds] = [parseNetwork(range), parseDuration(duration)];
    if (seconds < min || seconds > max) {
      const [least, most] = [min, max].map(formatDuration);
      throw new ValueError(`${formatDuration(seconds)} is out of range. Write ${least} to ${most}.`);
    }
    if (named.has(network)) throw new ValueError(`${quote(network)} is there twice. Write it once.`);
    named.add(network);
    return { network, seconds };
  });
}

function unreadable(text: string): ValueError {
  return new ValueError(
    `${quote(text)} is neither an address nor a CIDR range. Write it like 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32.`,
  );
}
