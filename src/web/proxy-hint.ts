import type { RequestHandler } from "express";
import type { Logger } from "pino";

/**
 * Behind a proxy that is not trusted, everybody shares the proxy's address, and soon its limits. That
 * is hard to guess from a 429, so the first request that shows it is told of: once, because anybody
 * may send the header.
 */
export function createProxyHint(log: Logger): RequestHandler {
  let told = false;
  return (req, _res, next) => {
    if (!told && req.get("X-Forwarded-For") !== undefined && req.app.get("trust proxy") === false) {
      told = true;
      log.warn(
        "Requests come through a proxy that TRUST_PROXY does not name, so rate limits, and rules about who may create " +
          "and open, take all of them for one address. Set TRUST_PROXY to the number of proxies in front, or to their addresses.",
      );
    }
    next();
  };
}
