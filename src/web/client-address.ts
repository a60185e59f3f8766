import { isIPv6 } from "node:net";
import type { Request, RequestHandler } from "express";

const known = new WeakMap<object, string>();

/**
 * Some proxies write `1.2.3.4:5678` or `[2001:db8::1]:5678`. With its port it is in nobody's network,
 * each connection would be a client of its own, and a proxy that is trusted by its address would not be.
 */
function withoutPort(entry: string): string {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([\d.]+))(?::\d+)?$/.exec(entry) ?? [];
  if (bracketed !== undefined) return isIPv6(bracketed) ? bracketed : entry;
  return plain ?? entry;
}

/**
 * Before anything asks for the client's address: takes the ports out of X-Forwarded-For, so that all
 * who ask get the same, Express' own look for trusted proxies included.
 */
export const dropPorts: RequestHandler = (req, _res, next) => {
  const chain = req.headers["x-forwarded-for"];
  if (typeof chain === "string") {
    req.headers["x-forwarded-for"] = chain
      .split(",")
      .map((entry) => withoutPort(entry.trim()))
      .join(", ");
  }
  next();
};

/**
 * Keeps the client's address as TRUST_PROXY has it while the connection is surely open: one that its
 * client has closed has no address any more, and would count as somebody whom nobody knows.
 */
export const keepAddress: RequestHandler = (req, _res, next) => {
  if (req.ip !== undefined) known.set(req, req.ip);
  next();
};

/** Undefined where nobody knows it. What a proxy that is trusted wrote need not be an address. */
export function clientAddress(req: Request): string | undefined {
  return known.get(req);
}
