import type { Request, RequestHandler, Response } from "express";
import { ipKeyGenerator, type Store as LimitStore, rateLimit } from "express-rate-limit";
import type { Logger } from "pino";
import type { Config, RateLimit } from "../config/config.ts";
import { describeError } from "./log-error.ts";
import type { Metrics } from "./metrics.ts";
import { Problem } from "./problem.ts";

export type LimitName = "create" | "open" | "miss";

/** Each counts the request that passes through it, and calls `next` with a `limited` problem above the limit. */
export type Limits = Readonly<Record<LimitName, RequestHandler>>;

export interface LimitDeps {
  readonly config: Pick<Config, "rateLimitCreate" | "rateLimitOpen" | "rateLimitMiss">;
  /** Undefined: counters in this process. */
  readonly limitStore: (name: LimitName) => LimitStore | undefined;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** A customer's usual IPv6 delegation (RIPE-690): what one person can move around in. */
const IPV6_SUBNET = 56;

/**
 * What a client counts as: its address, or the network that it may move around in. A connection that
 * is already closed has no address any more.
 */
export function addressOf(req: Pick<Request, "ip">): string {
  return ipKeyGenerator(req.ip ?? "", IPV6_SUBNET);
}

export function createLimits({ config, limitStore, metrics, log }: LimitDeps): Limits {
  const logger = {
    error: (error: unknown) => log.error({ error: describeError(error) }, "rate limit"),
    warn: (error: unknown) => log.warn({ error: describeError(error) }, "rate limit"),
  };

  function limiter(name: LimitName, { count, seconds }: RateLimit): RequestHandler {
    const store = limitStore(name);
    return rateLimit({
      identifier: name,
      limit: count,
      windowMs: seconds * 1000,
      ...(store ? { store } : {}),
      keyGenerator: addressOf,
      standardHeaders: "draft-8",
      legacyHeaders: false,
      logger,
      // Headers that anybody may send must not write to the log; `proxy-hint.ts` says it once.
      validate: { xForwardedForHeader: false, forwardedHeader: false },
      handler(_req, res, next) {
        metrics.rateLimited.inc({ limit: name });
        const wait = Math.max(1, Number(res.get("Retry-After") ?? seconds));
        const unit = wait === 1 ? "second" : "seconds";
        next(
          new Problem("limited", `Too many tries from your address. Wait ${wait} ${unit}, then try again.`, {
            headers: { "Retry-After": String(wait) },
          }),
        );
      },
    });
  }

  return {
    create: limiter("create", config.rateLimitCreate),
    open: limiter("open", config.rateLimitOpen),
    miss: limiter("miss", config.rateLimitMiss),
  };
}

/** Counts the request against `limit`; rejects with its problem above it. */
export function countAgainst(limit: RequestHandler, request: Request, response: Response): Promise<void> {
  return new Promise((resolve, reject) => {
    limit(request, response, (error?: unknown) => (error ? reject(error) : resolve()));
  });
}
