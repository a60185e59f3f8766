import { type Request, Router } from "express";
import { z } from "zod";
import { formatRules, rulesSchema } from "../access/rules.ts";
import { isBlobLength, isWholeBlob, maxBlobLength } from "../envelope/layout.ts";
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
import { demandErrors } from "./demand-errors.ts";
import { base64urlOf, field, optionalField } from "./fields.ts";
import { createJsonBody, parseBody, wipeBody } from "./json-body.ts";
import { addressOf } from "./limits.ts";
import { formatSender, notifyErrors, notifySchema } from "./notify-field.ts";
import { type FieldError, invalid, Problem } from "./problem.ts";
import type { RouteDeps } from "./route-deps.ts";
import { describeSecret, describeUpload, formatTime } from "./secret-state.ts";

/** The longest blob that may come with the create itself; what is longer follows in parts. */
export const MAX_INLINE_BLOB = 65_536;
/** Of the body: more than it needs, so that somebody who sends a longer blob is told what to do. */
const BODY_LIMIT = 262_144;

const SIZE = "Must be the blob's length in bytes.";

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
    size: z.int({ error: SIZE }),
    rules: rulesSchema.optional(),
    notify: notifySchema.optional(),
    blob: optionalField(parseCiphertext, "Must be the sealed blob as base64url without padding."),
  });
}

/** The header has to be the one that this sender would have written, so nothing else can be stored here. */
function blobErrors(
  blob: Ciphertext,
  { id, passphrase, size }: Pick<NewSecret, "id" | "passphrase" | "size">,
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

/** Lengths that are no blob's need not wait for the first part to be refused. */
function sizeErrors(size: number): FieldError[] {
  return isBlobLength(size) ? [] : [{ field: "size", message: SIZE }];
}

export function createSecretRoute(deps: RouteDeps): Router {
  const { config, store, limits, gate, uploads } = deps;
  const router = Router({ caseSensitive: true, strict: true });
  const schema = createSchema(config.maxTtl);
  const longest = maxBlobLength(config.maxSecretBytes, config.maxFiles);

  function parseNewSecret(req: Request): NewSecret {
    const { blob, rules, notify, ...sent } = parseBody(schema, req.body);
    const secret = {
      ...sent,
      ...(rules ? { rules: formatRules(rules) } : {}),
      ...(notify ? { sender: formatSender(notify) } : {}),
    };
    if (secret.size > longest || (blob && blob.length > longest)) {
      throw new Problem("too-large", `A sealed secret may have ${longest} bytes here, this one is larger.`);
    }
    if (blob && blob.length > MAX_INLINE_BLOB) {
      const fix = "Leave it out and send it in parts: PUT /api/v1/secret/blob.";
      throw new Problem(
        "too-large",
        `A blob of more than ${MAX_INLINE_BLOB} bytes does not fit in here. ${fix}`,
      );
    }
    const errors = [
      ...(blob ? blobErrors(blob, secret) : sizeErrors(secret.size)),
      ...demandErrors(deps, req, { ...sent, rules }),
      ...(notify ? notifyErrors(notify, config.mail) : []),
    ];
    if (errors.length > 0) throw invalid("Correct the fields named in errors.", errors);
    return blob ? { ...secret, blob } : secret;
  }

  /** Takes a place for an upload, and gives it back where none has begun. */
  async function create(secret: NewSecret, address: string) {
    const isNew = !secret.blob && (await uploads.take(address, secret.id));
    try {
      const result = await store.create(secret);
      if (result.kind === "conflict") {
        throw new Problem("conflict", "There is another secret with this id. Make a new link and try again.");
      }
      if (!secret.blob) uploads.begin(address, secret.id);
      const created = await describeCreated(store, secret, result);
      if (created.state !== "uploading") uploads.free(secret.id);
      return created;
    } catch (error) {
      // What else failed, an upload of this id may still be running.
      if (isNew) uploads.giveBack(secret.id);
      throw error;
    }
  }

  const readJson = createJsonBody(BODY_LIMIT, ["share"]);
  router.post("/api/v1/secrets", limits.create, gate.creating, readJson, async (req, res) => {
    try {
      const secret = parseNewSecret(req);
      res.status(201).json({ id: secret.id, ...(await create(secret, addressOf(req))) });
    } finally {
      wipeBody(req);
    }
  });

  return router;
}

/** A retry is told the state as it is by now: the first answer may have been lost long ago. */
async function describeCreated(
  store: Store,
  { id, passphrase, size, blob }: NewSecret,
  { existed, createdAt, expiresAt }: Extract<CreateResult, { kind: "created" }>,
) {
  const record = existed ? await store.read(id) : undefined;
  if (record) return describeSecret(record);
  return {
    state: blob ? "sealed" : "uploading",
    passphrase,
    size,
    createdAt: formatTime(createdAt),
    expiresAt: formatTime(expiresAt),
    ...(blob ? {} : describeUpload({ received: 0, missing: [{ start: 0, end: size }] })),
  };
}
