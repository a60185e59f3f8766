import type { Request, RequestHandler } from "express";

const known = new WeakMap<object, string>();

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
