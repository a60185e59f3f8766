import { isIP } from "node:net";
import { parseList } from "./units.ts";
import { quote, ValueError } from "./value-error.ts";

/** The names Express knows for 127/8 and ::1, for 169.254/16 and fe80::/10, and for private ranges. */
const names = ["loopback", "linklocal", "uniquelocal"];

/**
 * A hop count ("1") or a list of addresses, CIDR ranges and names ("loopback, 10.0.0.0/8") as what
 * Express' "trust proxy" takes; "0" trusts nobody. Trusting everybody is refused: the address that
 * rate limits count by would be whatever a client writes into X-Forwarded-For.
 */
export function parseTrustProxy(text: string): false | number | readonly string[] {
  if (/^(true|yes|on|\*)$/i.test(text)) throw everybody(text);
  if (/^[0-9]+$/.test(text)) {
    const hops = Number(text);
    if (hops > 10)
      throw new ValueError(`${quote(text)} is not a plausible number of proxies. Write 1 to 10.`);
    return hops === 0 ? false : hops;
  }
  return parseList(text, parseEntry);
}

function parseEntry(entry: string): string {
  if (names.includes(entry)) return entry;
  const [address = "", prefix, ...rest] = entry.split("/");
  const family = address.includes("%") ? 0 : isIP(address);
  if (family === 0 || rest.length > 0) throw unreadable(entry);
  if (prefix === undefined) return entry;
  if (!/^(0|[1-9][0-9]{0,2})$/.test(prefix) || Number(prefix) > (family === 4 ? 32 : 128))
    throw unreadable(entry);
  if (Number(prefix) === 0) throw everybody(entry);
  return entry;
}

function everybody(text: string): ValueError {
  return new ValueError(
    `${quote(text)} would believe any client about its own address, so that rate limits could be evaded. ` +
      "Write the number of proxies in front of the service, such as 1, or their addresses, such as 10.0.0.0/8.",
  );
}

function unreadable(entry: string): ValueError {
  return new ValueError(
    `${quote(entry)} is not an address, a CIDR range or one of ${names.join(", ")}. ` +
      "Write a number of proxies, such as 1, or a list, such as loopback,10.0.0.0/8.",
  );
}
