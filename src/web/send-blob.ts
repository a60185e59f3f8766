import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Request, Response } from "express";
import { BLOB_BLOCK, type SecretRecord, type Store, StoreUnavailableError } from "../store/store.ts";
import { parseByteRange } from "./byte-range.ts";
import { createReadBlob, type ReadBlob } from "./read-blob.ts";

const GONE: ReadonlySet<unknown> = new Set(["ERR_STREAM_PREMATURE_CLOSE", "ECONNRESET", "EPIPE"]);

/** The rest of a range, a block at a time and on the store's own grid. */
async function* blocks(readBlob: ReadBlob, record: SecretRecord, from: number, to: number) {
  for (let start = from; start < to; ) {
    const end = Math.min(to, start - (start % BLOB_BLOCK) + BLOB_BLOCK);
    yield await readBlob(record, start, end);
    start = end;
  }
}

/** Whether a response broke off because nobody takes it any more. A store has errors of its own. */
function hasGone(error: unknown): boolean {
  return error instanceof Error && "code" in error && GONE.has(error.code);
}

/**
 * Sends a secret's ciphertext, or the range of it that is asked for, as fast as it is taken and never
 * holding more than a few blocks. What fails before the first byte is a problem; what fails later
 * breaks the connection, so that nobody takes a part for the whole.
 */
export function createSendBlob(store: Pick<Store, "read" | "readBlob">) {
  const readBlob = createReadBlob(store);

  return async (req: Request, res: Response, record: SecretRecord): Promise<void> => {
    const range = parseByteRange(req, record.size);
    const start = range?.start ?? 0;
    const end = (range?.end ?? record.size - 1) + 1;
    const pieces = blocks(readBlob, record, start, end);
    const first = await pieces.next();
    if (first.done) throw new StoreUnavailableError();
    res.status(range ? 206 : 200).set({
      "Content-Type": "application/octet-stream",
      "Content-Length": String(end - start),
      "Accept-Ranges": "bytes",
      ...(range ? { "Content-Range": `bytes ${start}-${end - 1}/${record.size}` } : {}),
    });
    if (req.method === "HEAD") {
      res.end();
      return;
    }
    async function* body() {
      yield first.value;
      yield* pieces;
    }
    try {
      await pipeline(Readable.from(body(), { objectMode: false, highWaterMark: 1 }), res);
    } catch (error) {
      // A client that goes away in the middle is its own affair; the log has the request as cut short.
      if (!hasGone(error)) throw error;
    }
  };
}
