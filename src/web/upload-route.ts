import { type Request, type RequestHandler, type Response, Router } from "express";
import { HEADER_BYTES, isWholeBlob } from "../envelope/layout.ts";
import { SUITE_PASSPHRASE, SUITE_PLAIN } from "../envelope/suite.ts";
import { type ByteSpan, MAX_HELD_SPANS, type SecretRecord, type WriteResult } from "../store/store.ts";
import { createAddressPlaces } from "./address-places.ts";
import { createAuthenticate, parseReceiptHolder } from "./bearer.ts";
import { type Block, cutIntoBlocks } from "./blocks.ts";
import { parseContentRange } from "./content-range.ts";
import { addressOf, countAgainst } from "./limits.ts";
import { onceOver } from "./once-over.ts";
import { invalid, notFound, Problem } from "./problem.ts";
import type { RouteDeps } from "./route-deps.ts";
import { describeSecret, ended, endOf } from "./secret-state.ts";

/** Parts being received at once: each holds one block of half a MiB, whatever its own length. */
const MAX_PARTS = 64;
/** For all others to have room beside one who sends slowly on many connections. */
const MAX_PARTS_PER_ADDRESS = 16;

/** The first part has to begin with the header that this secret's sender would have written. */
function checkHeader({ offset, bytes }: Block, { id, passphrase, size }: SecretRecord): void {
  if (offset >= HEADER_BYTES) return;
  const suite = passphrase ? SUITE_PASSPHRASE : SUITE_PLAIN;
  if (offset === 0 && isWholeBlob(bytes, size, suite, id)) return;
  throw invalid(
    `The part with the blob's first ${HEADER_BYTES} bytes must hold them all, and be waxseal/1 with this id, passphrase and size.`,
  );
}

/** Throws what a client must be told; true when nothing is missing any more. */
function isComplete(result: WriteResult): boolean {
  switch (result.kind) {
    case "written":
      return result.complete;
    case "sealed":
      return true;
    case "scattered":
      throw new Problem(
        "conflict",
        `What has arrived lies in more than ${MAX_HELD_SPANS} pieces. Send the first that is missing.`,
      );
    case "ended":
      throw ended(result);
    case "missing":
      throw notFound();
  }
}

/** Exactly as many bytes as the range says: a longer body is refused before its surplus is kept. */
async function* limitedTo(req: Request, { start, end }: ByteSpan): AsyncGenerator<Uint8Array, void, void> {
  let left = end - start;
  try {
    for await (const piece of req) {
      if (piece.length > left) throw invalid("The body is longer than its Content-Range says.");
      left -= piece.length;
      yield piece;
    }
  } catch (error) {
    if (error instanceof Problem || !req.readableAborted) throw error;
    throw invalid("The body ended too early. What arrived is kept.");
  }
  if (left > 0) throw invalid("The body is shorter than its Content-Range says. What arrived is kept.");
}

/** Lets so many parts through at a time, from one address and in all. */
function createPartLimit(): RequestHandler {
  const places = createAddressPlaces({ total: MAX_PARTS, perAddress: MAX_PARTS_PER_ADDRESS });
  return (req, res, next) => {
    const giveBack = places.take(addressOf(req));
    if (typeof giveBack === "string") {
      const problem = new Problem("limited", "Too many parts are being sent at once. Send them one by one.", {
        headers: { "Retry-After": "1" },
      });
      return next(problem);
    }
    onceOver(res, giveBack);
    next();
  };
}

/** Receives a blob that is too long for the create's own body. */
export function createUploadRoute({ store, limits, gate, audit, uploads }: RouteDeps): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const authenticate = createAuthenticate(store, audit);

  /** Whether the blob is whole. */
  async function receive(req: Request, record: SecretRecord, span: ByteSpan): Promise<boolean> {
    let complete = false;
    for await (const block of cutIntoBlocks(limitedTo(req, span), span.start)) {
      checkHeader(block, record);
      complete = isComplete(await store.writeBlob(record.id, block.offset, block.bytes));
      uploads.keep(record.id);
    }
    return complete;
  }

  async function seal(record: SecretRecord): Promise<void> {
    const result = await store.sealUpload(record.id);
    if (result.kind === "ended") throw ended(result);
    if (result.kind === "missing") throw notFound();
    // Incomplete after all: the answer says what is missing.
    if (result.kind === "sealed") uploads.free(record.id);
  }

  /**
   * Each refusal is a line in the audit trail, which a receipt alone must not be enough to fill. It
   * counts as a refused create does; parts that are allowed don't, of which one secret has many.
   */
  async function checkCreating(req: Request, res: Response): Promise<void> {
    if (!gate.mayCreate(req)) await countAgainst(limits.create, req, res);
    gate.checkCreating(req);
  }

  router.put("/api/v1/secret/blob", createPartLimit(), async (req, res) => {
    const record = await authenticate(await parseReceiptHolder(req));
    // Perhaps by way of another replica.
    if (record.state !== "uploading") uploads.free(record.id);
    const end = endOf(record);
    if (end) throw ended(end);
    await checkCreating(req, res);
    if (req.get("Content-Encoding") !== undefined) throw invalid("Send the part without a Content-Encoding.");
    if (!req.is("application/octet-stream")) throw invalid("Send the part as application/octet-stream.");
    const span = parseContentRange(req, record.size);
    if (record.state === "uploading" && (await receive(req, record, span))) await seal(record);
    const now = await store.read(record.id);
    if (!now) throw notFound();
    res.json(describeSecret(now));
  });

  return router;
}
