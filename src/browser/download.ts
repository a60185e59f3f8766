import type { LinkKeys } from "../envelope/keys.ts";
import { HEADER_BYTES, isWholeBlob } from "../envelope/layout.ts";
import { ConnectionError, mayPass, readRange } from "./api.ts";
import type { Progress } from "./progress.ts";
import { createRetry } from "./retry.ts";

/** A secret's ciphertext on its way here. `fetch` may be called again after it has failed, and goes on. */
export interface Download {
  /** All of it, with a header that is this link's. Uses nothing up. */
  fetch(progress: Progress, signal: AbortSignal): Promise<Blob>;
}

/** Bytes that are asked for at once, and that stand in the script's memory at most. */
const PIECE = 4 << 20;

/**
 * The pieces become Blobs, which the browser keeps where it likes, on disk when they are many, and drops
 * with the page. The origin's private file system would keep them until somebody tidies up, a crash or
 * not; and ciphertext whose share is gone, though worthless, has no business there.
 */
export function createDownload({ suite, id }: LinkKeys, bearer: string, size: number): Download {
  const pieces: Blob[] = [];
  let whole: Blob | undefined;
  let got = 0;

  /** What arrives of a piece before the line is cut counts. */
  async function fetchPiece(progress: Progress, signal: AbortSignal): Promise<void> {
    const arrived: Uint8Array<ArrayBuffer>[] = [];
    let length = 0;
    const take = (bytes: Uint8Array<ArrayBuffer>) => {
      arrived.push(bytes);
      length += bytes.length;
      progress.set(got + length, size);
    };
    try {
      await readRange(bearer, [got, Math.min(size, got + PIECE)], take, signal);
    } finally {
      if (length > 0) pieces.push(new Blob(arrived));
      got += length;
    }
  }

  /** Another secret's, or cut short: it must not cost the share. */
  async function assertOurs(blob: Blob, length: number): Promise<void> {
    const start = new Uint8Array(await blob.slice(0, HEADER_BYTES).arrayBuffer());
    if (isWholeBlob(start, length, suite, id)) return;
    pieces.length = got = 0;
    throw new ConnectionError("The download is not whole");
  }

  return {
    async fetch(progress, signal) {
      if (whole) return whole;
      const retry = createRetry({ signal, mayPass, onLost: progress.lost });
      progress.set(got, size);
      while (got < size) {
        const before = got;
        try {
          await fetchPiece(progress, signal);
          if (before === 0) await assertOurs(new Blob(pieces), size);
        } catch (error) {
          if (got > before) retry.progressed();
          await retry.pause(error);
        }
        if (got > before) retry.progressed();
      }
      const blob = new Blob(pieces);
      await assertOurs(blob, blob.size);
      whole = blob;
      return blob;
    },
  };
}
