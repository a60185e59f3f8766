import type { RequestHandler } from "express";
import { Problem } from "./problem.ts";

const SAFE_METHODS = new Set(["GET", "HEAD"]);

/**
 * Only our own pages, and programs that are no browser, may change anything. A browser says where a
 * request comes from in Sec-Fetch-Site, which no page can forge (Fetch Metadata); where it is too old,
 * or the connection not secure, for that header, it still sends Origin.
 */
export function createSameOrigin(publicUrl: URL): RequestHandler {
  return (req, _res, next) => {
    if (SAFE_METHODS.has(req.method)) return next();
    const site = req.get("Sec-Fetch-Site");
    const origin = req.get("Origin");
    const allowed =
      site === undefined ? origin === undefined || origin === publicUrl.origin : site === "same-origin";
    if (allowed) return next();
    next(
      new Problem(
        "cross-site",
        `Only pages of ${publicUrl.origin} may do this. If this is that site, set PUBLIC_URL to its address.`,
      ),
    );
  };
}
