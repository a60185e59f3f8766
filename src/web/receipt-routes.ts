import { type Response, Router } from "express";
import { z } from "zod";
import type { SecretId } from "../envelope/tokens.ts";
import { createAuthenticate, parseReceiptHolder } from "./bearer.ts";
import { createJsonBody, parseBody, SMALL_BODY } from "./json-body.ts";
import { notFound } from "./problem.ts";
import type { RouteDeps } from "./route-deps.ts";
import { describeReceipt, ended } from "./secret-state.ts";

const NO_FIELDS = z.strictObject({});

/** For whoever holds the receipt: the sender. */
export function createReceiptRoutes({ store, audit, uploads }: RouteDeps): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const authenticate = createAuthenticate(store, audit);

  async function sendReceipt(res: Response, id: SecretId): Promise<void> {
    const record = await store.read(id);
    if (!record) throw notFound();
    res.json(describeReceipt(record));
  }

  router.get("/api/v1/receipt", async (req, res) => {
    res.json(describeReceipt(await authenticate(await parseReceiptHolder(req))));
  });

  router.delete("/api/v1/receipt/secret", async (req, res) => {
    const { id } = await authenticate(await parseReceiptHolder(req));
    const result = await store.delete(id);
    uploads.free(id);
    if (result.kind === "missing") throw notFound();
    if (result.kind === "ended") throw ended(result);
    await sendReceipt(res, id);
  });

  router.post("/api/v1/receipt/unlock", createJsonBody(SMALL_BODY), async (req, res) => {
    const holder = await parseReceiptHolder(req);
    parseBody(NO_FIELDS, req.body ?? {});
    const { id } = await authenticate(holder);
    const result = await store.unlock(id);
    if (result.kind === "missing") throw notFound();
    if (result.kind === "ended") throw ended(result);
    await sendReceipt(res, id);
  });

  return router;
}
