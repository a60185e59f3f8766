import { type Response, Router } from "express";
import { z } from "zod";
import { encodeBase64urlBytes } from "../envelope/base64url.ts";
import { concat, utf8, wipe } from "../envelope/bytes.ts";
import {
  accessProofOf,
  CLAIM_BYTES,
  claimOf,
  hashAccessProof,
  PROOF_BYTES,
  type Share,
} from "../envelope/tokens.ts";
import type { OpenResult } from "../store/store.ts";
import { createAuthenticate, parseLinkHolder } from "./bearer.ts";
import { base64urlOf, field, optionalField } from "./fields.ts";
import { createJsonBody, parseBody, SMALL_BODY, wipeBody } from "./json-body.ts";
import { onceOver } from "./once-over.ts";
import { notFound, Problem } from "./problem.ts";
import type { RouteDeps } from "./route-deps.ts";
import { describeSecret, ended, endOf } from "./secret-state.ts";
import { createSendBlob } from "./send-blob.ts";

const OPEN_BODY = z.strictObject({
  access: field(accessProofOf, base64urlOf(PROOF_BYTES)),
  claim: optionalField(claimOf, base64urlOf(CLAIM_BYTES)),
});
const ACK_BODY = z.strictObject({ claim: field(claimOf, base64urlOf(CLAIM_BYTES)) });

/** Milliseconds in which looking again is the same visit. */
const VISIT_QUIET = 600_000;

/** `{"share": …}`, never a string: nothing overwrites a string. Until it is sent, its bytes are needed. */
function sendBytes(res: Response, share: Share): void {
  const encoded = encodeBase64urlBytes(share);
  const body = concat(utf8('{"share":"'), encoded, utf8('"}'));
  wipe(share, encoded);
  onceOver(res, () => wipe(body));
  res.set({ "Content-Type": "application/json; charset=utf-8", "Content-Length": String(body.length) });
  res.end(body);
}

function sendResult(res: Response, result: OpenResult): void {
  switch (result.kind) {
    case "handed-over":
      sendBytes(res, result.share);
      return;
    case "wrong-passphrase":
      throw new Problem("wrong-passphrase", "That passphrase is wrong. The secret is still sealed.", {
        members: { triesLeft: result.triesLeft },
      });
    case "locked":
      throw new Problem("locked", "Too many wrong passphrases. Only the sender can unlock this secret.");
    case "ended":
      throw ended(result);
    case "missing":
      throw notFound();
  }
}

/** For whoever holds the link. Only `open` uses anything up, and only with the passphrase. */
export function createLinkRoutes({ store, limits, gate, audit }: RouteDeps): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const authenticate = createAuthenticate(store, audit);
  const sendBlob = createSendBlob(store);

  router.get("/api/v1/secret", async (req, res) => {
    const record = await authenticate(await parseLinkHolder(req));
    const end = endOf(record);
    if (end) throw ended(end);
    // For the sender to see; whoever looks is told in any case, and doesn't wait for it.
    store.note(record.id, "visited", VISIT_QUIET).catch(() => {});
    res.json(describeSecret(record));
  });

  router.get("/api/v1/secret/blob", async (req, res) => {
    await sendBlob(req, res, await authenticate(await parseLinkHolder(req)));
  });

  const readOpen = createJsonBody(SMALL_BODY, ["access", "claim"]);
  router.post("/api/v1/secret/open", limits.open, readOpen, async (req, res) => {
    try {
      const holder = await parseLinkHolder(req);
      const { access, claim } = parseBody(OPEN_BODY, req.body);
      const passed = await gate.opening(req, await authenticate(holder));
      const accessHash = await hashAccessProof(access);
      const request = { id: holder.id, linkHash: holder.digest, accessHash, ...passed };
      sendResult(res, await store.open(claim ? { ...request, claim } : request));
    } finally {
      wipeBody(req);
    }
  });

  router.post("/api/v1/secret/ack", createJsonBody(SMALL_BODY, ["claim"]), async (req, res) => {
    try {
      const holder = await parseLinkHolder(req);
      const { claim } = parseBody(ACK_BODY, req.body);
      await authenticate(holder);
      const { kind } = await store.acknowledge(holder.id, claim);
      if (kind === "missing") throw notFound();
      if (kind === "refused") {
        throw new Problem("conflict", "This secret was not handed over to this claim. Nothing was changed.");
      }
      res.status(204).end();
    } finally {
      wipeBody(req);
    }
  });

  return router;
}
