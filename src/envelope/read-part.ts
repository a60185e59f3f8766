import type { Bytes } from "./bytes.ts";
import { UnreadableError } from "./errors.ts";
import type { AccessKeys } from "./keys.ts";
import {
  CHUNK_BYTES,
  chunkCount,
  chunkNonce,
  decodeHeader,
  HEADER_BYTES,
  PREFIX_BYTES,
  TAG_BYTES,
} from "./layout.ts";
import { encodeMeta, type PartDescription } from "./parts.ts";
import type { Share } from "./tokens.ts";

/** Bytes `start` to `end` (not included) of the blob. */
export type ReadAt = (start: number, end: number) => Promise<Bytes>;

/** One part's bytes, from its beginning, as often as they are asked for. */
export type ReadPart = (part: number) => AsyncGenerator<Bytes, void, void>;

const SEALED_CHUNK = CHUNK_BYTES + TAG_BYTES;
/** Read and decrypted together: 1 MiB. */
const CHUNKS_AT_ONCE = 16;

/**
 * Reads parts one by one from a blob that `unseal` has gone through to its end: only that has shown that
 * nothing is missing. Keeps the content key, which can't be read out of its handle, and not the share.
 * A part's generator throws `UnreadableError` where the blob is no longer the same; an error of `readAt`
 * comes through as it is.
 */
export async function createReadPart(
  keys: AccessKeys,
  share: Share,
  parts: readonly PartDescription[],
  readAt: ReadAt,
): Promise<ReadPart> {
  const header = await readAt(0, HEADER_BYTES);
  const total = decodeHeader(header, keys.suite, keys.id);
  if (total === undefined) throw new UnreadableError();
  const plaintextLength = total;
  const { key } = await keys.contentKeys(share, header);
  const lastIndex = chunkCount(plaintextLength) - 1;
  let end = 4 + encodeMeta(parts).length;
  const places = parts.map(({ size }) => {
    const start = end;
    end += size;
    return { start, end };
  });

  async function decrypt(index: number, sealed: Bytes): Promise<Bytes> {
    const iv = chunkNonce(index, index === lastIndex);
    const params = { name: "AES-GCM", iv, additionalData: header };
    return new Uint8Array(await crypto.subtle.decrypt(params, key, sealed));
  }

  /** The plaintext of chunks `first` to `last`, which stand side by side. */
  async function readChunks(first: number, last: number): Promise<Bytes[]> {
    const length = Math.min((last + 1) * CHUNK_BYTES, plaintextLength) - first * CHUNK_BYTES;
    const start = PREFIX_BYTES + first * SEALED_CHUNK;
    const sealed = await readAt(start, start + length + TAG_BYTES * (last - first + 1));
    const chunks: Promise<Bytes>[] = [];
    for (let index = first; index <= last; index++) {
      const at = (index - first) * SEALED_CHUNK;
      chunks.push(decrypt(index, sealed.subarray(at, at + SEALED_CHUNK)));
    }
    return Promise.all(chunks).catch(() => {
      throw new UnreadableError();
    });
  }

  return async function* readPart(part) {
    const place = places[part];
    if (!place) throw new RangeError(`There is no part ${part}.`);
    if (place.start === place.end) return;
    const last = Math.floor((place.end - 1) / CHUNK_BYTES);
    for (let first = Math.floor(place.start / CHUNK_BYTES); first <= last; first += CHUNKS_AT_ONCE) {
      const chunks = await readChunks(first, Math.min(first + CHUNKS_AT_ONCE - 1, last));
      for (const [i, chunk] of chunks.entries()) {
        const at = (first + i) * CHUNK_BYTES;
        yield chunk.subarray(Math.max(0, place.start - at), place.end - at);
      }
    }
  };
}
