import { Router } from "express";
import { z } from "zod";
import { createAuthenticate, parseReceiptHolder } from "./bearer.ts";
import { createJsonBody, parseBody, SMALL_BODY } from "./json-body.ts";
import { createReceiptActs } from "./receipt-acts.ts";
import type { RouteDeps } from "./route-deps.ts";
import { describeReceipt } from "./secret-state.ts";

const NO_FIELDS = z.strictObject({});

/** For whoever holds the receipt: the sender. */
export function createReceiptRoutes(deps: RouteDeps): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const authenticate = createAuthenticate(deps.store, deps.audit);
  const acts = createReceiptActs(deps);

  router.get("/api/v1/receipt", async (req, res) => {
    res.json(describeReceipt(await authenticate(await parseReceiptHolder(req))));
  });

  router.delete("/api/v1/receipt/secret", async (req, res) => {
    const { id } = await authenticate(await parseReceiptHolder(req));
    res.json(describeReceipt(await acts.delete(id)));
  });

  router.post("/api/v1/receipt/unlock", createJsonBody(SMALL_BODY), async (req, res) => {
    const holder = await parseReceiptHolder(req);
    parseBody(NO_FIELDS, req.body ?? {});
    const { id } = await authenticate(holder);
    res.json(describeReceipt(await acts.unlock(id)));
  });

  return router;
}
