import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import type { Request, RequestHandler, Response } from "express";
import type { Logger } from "pino";
import type { Config } from "../config/config.ts";
import { auditAddressOf } from "./audit-address.ts";
import type { Metrics } from "./metrics.ts";
import { onceOver } from "./once-over.ts";

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]);
const PROBES = new Set(["/healthz", "/readyz"]);
/** nginx's number for "the client went away before there was an answer". */
const CLIENT_GONE = 499;

/** What audit lines say of the request that caused them. */
export interface CurrentRequest {
  readonly requestId: string;
  /** As `AUDIT_ADDRESSES` has it. */
  readonly address: string | undefined;
  /** The whole of it, which no line may hold: for notifications, where `NOTIFY_ADDRESSES` allows that. */
  readonly client: string | undefined;
}

const served = new AsyncLocalStorage<CurrentRequest>();

/** The request that is being served, for lines that are written deeper inside. */
export function currentRequest(): CurrentRequest | undefined {
  return served.getStore();
}

/**
 * The template that the router matched, such as `/api/v1/secret`: never the address itself. For that
 * to be whole, routers register full paths and are mounted only at the base path.
 */
function routeOf(req: Request): string {
  const path: unknown = req.route?.path;
  return typeof path === "string" ? path : "unmatched";
}

function statusOf(res: Response): number {
  return res.headersSent ? res.statusCode : CLIENT_GONE;
}

/**
 * One line and one observation per request, when it is over. The line has no address, no headers
 * and no client's IP: what is not written cannot leak. `kept`: what audit lines may hold of the latter.
 */
export function createRequestLog(
  log: Logger,
  metrics: Metrics,
  kept: Config["auditAddresses"],
): RequestHandler {
  return (req, res, next) => {
    const requestId = randomUUID();
    const started = performance.now();
    res.set("X-Request-Id", requestId);
    onceOver(res, () => {
      const milliseconds = performance.now() - started;
      const route = routeOf(req);
      const method = METHODS.has(req.method) ? req.method : "OTHER";
      const status = statusOf(res);
      // It ends when its reader leaves, after hours perhaps, and was whole all the time.
      const isStream = res.headersSent && res.get("Content-Type")?.startsWith("text/event-stream");
      if (!isStream)
        metrics.httpDuration.observe({ route, method, status: String(status) }, milliseconds / 1000);
      const complete = res.writableFinished || isStream ? {} : { incomplete: true };
      const duration = Math.round(milliseconds * 100) / 100;
      // A probe that goes well, every few seconds for years, is nothing to keep.
      const level = PROBES.has(route) && status < 400 ? "debug" : "info";
      log[level]({ requestId, method, route, status, milliseconds: duration, ...complete }, "request");
    });
    // Asked for now: a connection that the client has closed has no address any more.
    const [address, client] = [auditAddressOf(req, kept), auditAddressOf(req, "full")];
    served.run({ requestId, address, client }, next);
  };
}
