import { isIPv4 } from "node:net";
import type { Request } from "express";
import { ipKeyGenerator } from "express-rate-limit";
import type { Config } from "../config/config.ts";

/**
 * A site (RFC 6177; RIR policies let one be given a /48), and not the /56 that limits count by: that is
 * often one household, and a network is written down so that no person is.
 */
const IPV6_NETWORK = 48;

/**
 * The client's address as an audit line may hold it: undefined, a network such as `192.0.2.0/24`, or
 * the address itself. Only what Express makes of TRUST_PROXY counts, never a header.
 */
export function auditAddressOf(
  { ip }: Pick<Request, "ip">,
  kept: Config["auditAddresses"],
): string | undefined {
  if (kept === "none" || ip === undefined) return undefined;
  const [address = ""] = ip.split("%");
  // IPv4 as IPv6 sockets spell it becomes IPv4 again.
  const plain = ipKeyGenerator(address, false);
  if (kept === "full") return plain;
  return isIPv4(plain) ? plain.replace(/\d+$/, "0/24") : ipKeyGenerator(plain, IPV6_NETWORK);
}
