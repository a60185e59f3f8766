import type { Request } from "express";
import { type Rules, ruleErrors } from "../access/rules.ts";
import { clientAddress } from "./client-address.ts";
import type { FieldError } from "./problem.ts";
import type { RouteDeps } from "./route-deps.ts";

interface Demanded {
  /** Seconds. */
  readonly ttl: number;
  readonly passphrase: boolean;
  readonly rules: Rules | undefined;
}

/** What of a new secret the operator's demands, or the rules that it brings, do not allow from this client. */
export function demandErrors(
  { config, gate, audit, clock }: Pick<RouteDeps, "config" | "gate" | "audit" | "clock">,
  req: Request,
  { ttl, passphrase, rules }: Demanded,
): FieldError[] {
  const errors: FieldError[] = [];
  const longest = gate.demands.maxTtl(clientAddress(req));
  if (ttl > longest) {
    audit("create-refused", undefined, "ttl");
    errors.push({ field: "ttl", message: `Must be at most ${longest} seconds for your network.` });
  }
  if (gate.demands.requirePassphrase && !passphrase) {
    audit("create-refused", undefined, "passphrase");
    errors.push({ field: "passphrase", message: "Must be true: this server takes no secret without one." });
  }
  const knowsCountries = config.geoipDb !== undefined;
  const expiresAt = clock() + ttl * 1000;
  return [...errors, ...(rules ? ruleErrors(rules, { expiresAt, knowsCountries }) : [])];
}
