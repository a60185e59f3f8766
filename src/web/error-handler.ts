import type { ErrorRequestHandler, Request, Response } from "express";
import type { Logger } from "pino";
import { StoreFullError, StoreUnavailableError, UploadsFullError } from "../store/store.ts";
import type { Limits } from "./limits.ts";
import { isStoreFailure, logFailure } from "./log-failure.ts";
import { invalid, notFound, Problem } from "./problem.ts";

/** Draws a problem as a page, for people. The status and headers are set already. */
export type RenderProblemPage = (problem: Problem, req: Request, res: Response) => void;

export interface ErrorHandlerDeps {
  readonly log: Logger;
  readonly limits: Limits;
  /** `config.basePath` */
  readonly basePath: string;
  readonly renderProblemPage: RenderProblemPage;
}

/** Undefined where nobody foresaw the error. */
function toProblem(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error;
  if (error instanceof StoreUnavailableError) {
    return new Problem("unavailable", error.message, {
      headers: { "Retry-After": String(error.retryAfter) },
    });
  }
  if (error instanceof UploadsFullError) {
    return new Problem("full", error.message, { headers: { "Retry-After": String(error.retryAfter) } });
  }
  if (error instanceof StoreFullError) return new Problem("full", error.message);
  if (!(error instanceof Error)) return undefined;
  // Express' own: a path with a broken percent-encoding.
  if (error instanceof URIError || ("status" in error && error.status === 400)) {
    return invalid("The address is not well formed.");
  }
  return undefined;
}

/**
 * The last middleware. Only here does a 404 count as a miss, and only a 404 does: whoever holds a
 * valid link is never refused because of what somebody else behind the same address tried.
 */
export function createErrorHandler(deps: ErrorHandlerDeps): ErrorRequestHandler {
  const apiPrefix = `${deps.basePath}/api/`;

  function send(problem: Problem, req: Request, res: Response): void {
    res.status(problem.status);
    res.set(problem.headers);
    if (!req.originalUrl.startsWith(apiPrefix) && req.accepts(["json", "html"]) === "html") {
      deps.renderProblemPage(problem, req, res);
      return;
    }
    res.type("application/problem+json").send(JSON.stringify(problem));
  }

  return (error, req, res, _next) => {
    const known = toProblem(error);
    if (!known || isStoreFailure(error)) logFailure(deps.log, known ? "warn" : "error", error);
    if (res.headersSent) {
      // Too late for another status; a broken connection at least does not look complete.
      res.destroy();
      return;
    }
    const problem = known ?? new Problem("internal", "Nothing more is known here. The server's log has it.");
    if (problem.code !== "not-found") {
      send(problem, req, res);
      return;
    }
    deps.limits.miss(req, res, (refused?: unknown) => {
      send(refused instanceof Problem ? refused : notFound(), req, res);
    });
  };
}
