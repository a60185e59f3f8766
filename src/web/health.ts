import { type Request, type Response, Router } from "express";
import type { Store } from "../store/store.ts";
import { within } from "../store/within.ts";
import { Problem } from "./problem.ts";

/** Milliseconds within which the store must answer for this replica to be sent requests. */
const STORE_PATIENCE = 1000;

export interface HealthDeps {
  readonly store: Pick<Store, "ping">;
  readonly isDraining: () => boolean;
}

function notReady(detail: string): Problem {
  return new Problem("unavailable", detail, { headers: { "Retry-After": "2" } });
}

/**
 * `/healthz`: the process serves; restart it where this fails. `/readyz`: requests can be served;
 * send them elsewhere where this fails. A store that is away makes no restart useful, so only the
 * second asks it.
 */
export function createHealth({ store, isDraining }: HealthDeps): Router {
  const router = Router({ caseSensitive: true, strict: true });

  router.get("/healthz", (_req: Request, res: Response) => {
    res.json({ status: "ok" });
  });

  router.get("/readyz", async (_req: Request, res: Response) => {
    if (isDraining()) throw notReady("This replica is shutting down.");
    try {
      await within(STORE_PATIENCE, store.ping());
    } catch {
      throw notReady("The store does not answer. Check that Redis runs and REDIS_URL is right.");
    }
    res.json({ status: "ready" });
  });

  return router;
}
