import { isIPv4 } from "node:net";
import type { Request } from "express";
import { ipKeyGenerator } from "express-rate-limit";
import { plainAddress } from "../access/networks.ts";
import type { Config } from "../config/config.ts";

/**
 * A site (RFC 6177; RIR policies let one be given a /48), and not the /56 that limits count by: that is
 * often one household, and a network is written down so that no person is.
 */
const IPV6_NETWORK = 48;

/**
 * The client's address as an audit line may hold it: undefined, a network such as `192.0.2.0/24`, or
 * the address itself. Only what Express makes of TRUST_PROXY counts, never a header; and nothing of it
 * where that is no address.
 */
export function auditAddressOf(
  { ip }: Pick<Request, "ip">,
  kept: Config["auditAddresses"],
): string | undefined {
  if (kept === "none") return undefined;
  // A proxy may write anything, and a sentence has no place here.
  const plain = plainAddress(ip);
  if (plain === undefined || kept === "full") return plain;
  return isIPv4(plain) ? plain.replace(/\d+$/, "0/24") : ipKeyGenerator(plain, IPV6_NETWORK);
}
