/**
 * The assisted route, for browsers without script: the server runs the very code that a page's script
 * would have run, on bytes that it overwrites afterwards. Its pages are linked from <noscript> only.
 */
import { type RequestHandler, Router } from "express";
import { createAssistedCreate } from "./assisted-create.ts";
import { createAssistedOpen } from "./assisted-open.ts";
import { createAssistedReceipt } from "./assisted-receipt.ts";
import { createReceiptPage } from "./assisted-receipt-page.ts";
import type { AssistedDeps, SendPage } from "./form-page.ts";
import { sendPageBytes } from "./page-bytes.ts";
import { createFrame } from "./pages.ts";
import { createAssistedHeaders } from "./security-headers.ts";
import { isLocal } from "./start-words.ts";

export function createAssisted(deps: AssistedDeps): Router {
  const { config, gate, render } = deps;
  const frame = createFrame(deps);
  const creates = config.role !== "open";
  const send: SendPage = (response, name, data, page, shown = []) => {
    const html = render(name, data, frame(page, gate.mayCreate(response.req)));
    sendPageBytes(response.type("html"), html, shown);
  };

  const router = Router({ caseSensitive: true, strict: true });
  router.use("/assisted", createAssistedHeaders());
  // Whether the person's connection is one that browsers call secure, as far as the operator told us.
  const { protocol, hostname } = config.publicUrl;
  if (protocol !== "https:" && !isLocal(hostname)) {
    const heading = "This page needs https";
    const detail = "What you type here would cross the network unprotected. Ask your administrator.";
    const refuse: RequestHandler = (request, response) => {
      const createHref = gate.mayCreate(request) ? `${config.basePath}/` : undefined;
      const data = { heading, detail, createHref };
      send(response, "message", data, { title: heading, seal: "expired" });
    };
    if (creates) router.all(["/assisted", "/assisted/receipt"], refuse);
    router.all("/assisted/open", refuse);
    return router;
  }
  const sendReceipt = createReceiptPage(deps, send);
  if (creates) router.use(createAssistedReceipt(deps, send, sendReceipt));
  if (creates) router.use(createAssistedCreate(deps, send));
  router.use(createAssistedOpen(deps, send, sendReceipt));
  return router;
}
