import { createHash } from "node:crypto";
import { networkInterfaces } from "node:os";
import express from "express";
import type { Config } from "../config/config.ts";
import { type Check, type Finding, ok, problem, skipped, warning } from "./finding.ts";
import type { Answer } from "./http-client.ts";
import type { HttpSubject } from "./http-subject.ts";

/** TEST-NET-3 (RFC 5737): nobody's address. */
const FORGED = "203.0.113.77";
const NOTHING = "/doctor-looks-for-nothing";

/**
 * How a limit names the address that it counted a request by, in the `pk` of RateLimit-Policy
 * (draft-ietf-httpapi-ratelimit-headers-08); express-rate-limit makes it from a digest of the address.
 */
function partitionKey(address: string): string {
  const digest = createHash("sha256").update(address).digest("hex").slice(0, 12);
  return Buffer.from(digest).toString("base64");
}

function countedAs({ headers }: Answer): string | undefined {
  return /pk=:([^:]*):/.exec(String(headers["ratelimit-policy"] ?? ""))?.[1];
}

function ownAddress(key: string): string | undefined {
  const own = Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).map(({ address }) => address),
  );
  return own.find((address) => partitionKey(address) === key);
}

/** Whether Express takes this address for a proxy's. A number of proxies says nothing about addresses. */
function isTrusted(address: string, { trustProxy }: Config): boolean {
  if (typeof trustProxy !== "object") return false;
  const app = express();
  app.set("trust proxy", trustProxy);
  return app.get("trust proxy fn")(address, 0);
}

/** Whether the server believes that this came by https, told by the header that it sends only then. */
function judgeProtocol({ config, publicUrl }: HttpSubject, { headers }: Answer): Finding | undefined {
  if (publicUrl?.protocol !== "https:" || config.tls.kind !== "off") return undefined;
  if (config.trustProxy === false) {
    return problem(
      "a proxy serves https in front, and TRUST_PROXY names none: all visitors share one rate limit. " +
        "Set TRUST_PROXY to the number of proxies in front, or to their addresses.",
    );
  }
  if (headers["strict-transport-security"] !== undefined) return undefined;
  return problem(
    "the server does not know that requests come by https. Let the proxy set X-Forwarded-Proto, " +
      "and set TRUST_PROXY to the number of proxies in front, or to their addresses.",
  );
}

const BELIEVING =
  "the server believes what visitors write into X-Forwarded-For, so no rate limit holds. Set TRUST_PROXY to " +
  "the exact number of proxies in front (0 for none), and let the outermost one overwrite that header.";

/** Two requests for what is not there: one honest, one that claims to come from somebody else. */
export const checkProxyTrust: Check<HttpSubject> = {
  name: "proxy trust",
  async run(subject) {
    if (subject.direct) return [skipped("--url leads past the proxies. Run it without --url for this.")];
    const honest = await subject.http.ask(NOTHING);
    const forging = await subject.http.ask(NOTHING, { headers: { "X-Forwarded-For": FORGED } });
    const [key, forgedKey] = [countedAs(honest), countedAs(forging)];
    if (key === undefined || forgedKey === undefined) {
      return [warning("RateLimit-Policy does not arrive, so it can't be told. Let the proxy pass it on.")];
    }
    const own = ownAddress(key);
    const believed = forgedKey === partitionKey(FORGED);
    const findings: Finding[] = [];
    if (believed && own !== undefined && isTrusted(own, subject.config)) {
      findings.push(skipped(`TRUST_PROXY names this machine (${own}). Run it on another one for this.`));
    } else if (believed) {
      findings.push(problem(BELIEVING));
    }
    const protocol = judgeProtocol(subject, honest);
    if (protocol !== undefined) findings.push(protocol);
    if (findings.length > 0) return findings;
    return [
      ok(
        `a forged X-Forwarded-For is not believed; this request counts as ${own ?? "another address, as behind NAT"}`,
      ),
    ];
  },
};
