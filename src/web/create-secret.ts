import { Router } from "express";
import { z } from "zod";
import { isWholeBlob, maxBlobLength } from "../envelope/layout.ts";
import { SUITE_PASSPHRASE, SUITE_PLAIN } from "../envelope/suite.ts";
import {
  type Ciphertext,
  ID_BYTES,
  MIN_TTL,
  PROOF_BYTES,
  parseCiphertext,
  parseDigest,
  parseId,
  parseTtl,
  shareOf,
} from "../envelope/tokens.ts";
import type { CreateResult, NewSecret, Store } from "../store/store.ts";
import { base64urlOf, field } from "./fields.ts";
import { createJsonBody, parseBody, wipeBody } from "./json-body.ts";
import { type FieldError, invalid, Problem } from "./problem.ts";
import type { RouteDeps } from "./route-deps.ts";
import { describeSecret, formatTime } from "./secret-state.ts";

/** Bytes of a create body besides the blob: six short fields and their names, with room. */
const OTHER_FIELDS = 2048;

function createSchema(maxTtl: number) {
  const ttl = `Must be a whole number of seconds from ${MIN_TTL} to ${maxTtl}.`;
  return z.strictObject({
    id: field(parseId, base64urlOf(ID_BYTES)),
    linkHash: field(parseDigest, base64urlOf(PROOF_BYTES)),
    accessHash: field(parseDigest, base64urlOf(PROOF_BYTES)),
    share: field(shareOf, base64urlOf(PROOF_BYTES)),
    receiptHash: field(parseDigest, base64urlOf(PROOF_BYTES)),
    ttl: field((value) => parseTtl(value, maxTtl), ttl),
    passphrase: z.boolean({ error: "Must be true or false." }),
    size: z.int({ error: "Must be the blob's length in bytes." }),
    blob: field(parseCiphertext, "Must be the sealed blob as base64url without padding. It is required."),
  });
}

/** The header has to be the one that this sender would have written, so nothing else can be stored here. */
function blobErrors(
  blob: Ciphertext,
  { id, passphrase, size }: Pick<NewSecret, "id" | "passphrase"> & { size: number },
) {
  const errors: FieldError[] = [];
  if (size !== blob.length) {
    errors.push({ field: "size", message: `The blob has ${blob.length} bytes. Send that as the size.` });
  }
  const suite = passphrase ? SUITE_PASSPHRASE : SUITE_PLAIN;
  if (!isWholeBlob(blob, blob.length, suite, id)) {
    errors.push({
      field: "blob",
      message: "Must be a waxseal/1 blob whose header fits id, passphrase and size.",
    });
  }
  return errors;
}

export function createSecretRoute({ config, store, limits }: RouteDeps): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const schema = createSchema(config.maxTtl);
  const longest = maxBlobLength(config.maxSecretBytes);
  const bodyLimit = Math.ceil((longest * 4) / 3) + OTHER_FIELDS;

  function parseNewSecret(body: unknown): NewSecret {
    const { size, ...secret } = parseBody(schema, body);
    if (size > longest || secret.blob.length > longest) {
      throw new Problem("too-large", `A sealed secret may have ${longest} bytes here, this one is larger.`);
    }
    const errors = blobErrors(secret.blob, { ...secret, size });
    if (errors.length > 0) throw invalid("Correct the fields named in errors.", errors);
    return secret;
  }

  const readJson = createJsonBody(bodyLimit, ["share"]);
  router.post("/api/v1/secrets", limits.create, readJson, async (req, res) => {
    try {
      const secret = parseNewSecret(req.body);
      const result = await store.create(secret);
      if (result.kind === "conflict") {
        throw new Problem("conflict", "There is another secret with this id. Make a new link and try again.");
      }
      res.status(201).json({ id: secret.id, ...(await describeCreated(store, secret, result)) });
    } finally {
      wipeBody(req);
    }
  });

  return router;
}

/** A retry is told the state as it is by now: the first answer may have been lost long ago. */
async function describeCreated(
  store: Store,
  { id, passphrase, blob }: NewSecret,
  { existed, createdAt, expiresAt }: Extract<CreateResult, { kind: "created" }>,
) {
  const record = existed ? await store.read(id) : undefined;
  if (record) return describeSecret(record);
  return {
    state: "sealed",
    passphrase,
    size: blob.length,
    createdAt: formatTime(createdAt),
    expiresAt: formatTime(expiresAt),
  };
}
