import { type Bytes, concat, equalBytes, wipe } from "./bytes.ts";
import { UnreadableError } from "./errors.ts";
import type { AccessKeys } from "./keys.ts";
import {
  CHUNK_BYTES,
  COMMITMENT_BYTES,
  chunkCount,
  chunkNonce,
  decodeHeader,
  HEADER_BYTES,
  paddedLength,
  TAG_BYTES,
} from "./layout.ts";
import { checkMetaLength, type PartDescription, parseMeta } from "./parts.ts";
import type { Share } from "./tokens.ts";

/** What comes out of a blob, in order: first what is inside, then the bytes of each part. */
export type Unsealed =
  | { readonly kind: "parts"; readonly parts: readonly PartDescription[] }
  | { readonly kind: "data"; readonly part: number; readonly bytes: Bytes };

/** A fault of the stream that carries the blob, such as a lost connection: not the blob's. */
class SourceError extends Error {}

/** Reads exact lengths from a stream that is cut anywhere. */
function createReader(source: AsyncIterable<Uint8Array>) {
  const pieces = source[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array(0);
  const nextPiece = () =>
    pieces.next().catch((cause: unknown) => {
      throw new SourceError("source", { cause });
    });
  return {
    async read(length: number): Promise<Bytes> {
      const wanted = new Uint8Array(length);
      for (let filled = 0; filled < length; ) {
        if (rest.length === 0) {
          const next = await nextPiece();
          if (next.done) throw new UnreadableError();
          rest = next.value;
        }
        const taken = rest.subarray(0, length - filled);
        wanted.set(taken, filled);
        filled += taken.length;
        rest = rest.subarray(taken.length);
      }
      return wanted;
    },
    async expectEnd(): Promise<void> {
      while (rest.length === 0) {
        const next = await nextPiece();
        if (next.done) return;
        rest = next.value;
      }
      throw new UnreadableError();
    },
    async close(): Promise<void> {
      await pieces.return?.();
    },
  };
}

async function* decryptChunks(
  keys: AccessKeys,
  share: Share,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ chunk: Bytes; total: number }, void, void> {
  const reader = createReader(source);
  try {
    const header = await reader.read(HEADER_BYTES);
    const commitment = await reader.read(COMMITMENT_BYTES);
    const total = decodeHeader(header, keys.suite, keys.id);
    if (total === undefined) throw new UnreadableError();
    const expected = await keys.contentKeys(share, header);
    if (!equalBytes(commitment, expected.commitment)) throw new UnreadableError();

    const lastIndex = chunkCount(total) - 1;
    for (let index = 0; index <= lastIndex; index++) {
      const last = index === lastIndex;
      const length = last ? total - index * CHUNK_BYTES : CHUNK_BYTES;
      const sealed = await reader.read(length + TAG_BYTES);
      const params = { name: "AES-GCM", iv: chunkNonce(index, last), additionalData: header };
      const chunk = new Uint8Array(await crypto.subtle.decrypt(params, expected.key, sealed));
      if (last) await reader.expectEnd();
      yield { chunk, total };
    }
  } finally {
    await reader.close();
  }
}

/** Everything that may go wrong with the blob becomes the one opaque error. */
async function* opaquely<T>(inner: AsyncGenerator<T, void, void>): AsyncGenerator<T, void, void> {
  try {
    yield* inner;
  } catch (error) {
    throw error instanceof SourceError ? error.cause : new UnreadableError();
  }
}

/**
 * Opens a blob as it arrives. Each piece that comes out has been authenticated in its place; that
 * nothing is missing is known only when the generator ends, so a file isn't whole until then.
 * Throws `UnreadableError`, and nothing else, whatever is wrong with the blob or the keys; an
 * error of the source itself (a lost connection) comes through as it is, and may be retried.
 */
export function unseal(
  keys: AccessKeys,
  share: Share,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Unsealed, void, void> {
  return opaquely(split(keys, share, source));
}

async function* split(
  keys: AccessKeys,
  share: Share,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Unsealed, void, void> {
  let head: Bytes | undefined = new Uint8Array(0); // everything up to the end of meta
  let parts: readonly PartDescription[] = [];
  let part = 0;
  let leftInPart = 0;

  for await (const { chunk, total } of decryptChunks(keys, share, source)) {
    let rest = chunk;
    if (head) {
      head = concat(head, chunk);
      const metaLength = head.length < 4 ? 0 : new DataView(head.buffer).getUint32(0);
      const metaEnd = 4 + checkMetaLength(metaLength, total);
      if (head.length < metaEnd) continue;
      parts = parseMeta(head.subarray(4, metaEnd));
      const contentLength = parts.reduce((sum, { size }) => sum + size, metaEnd);
      if (!Number.isSafeInteger(contentLength) || paddedLength(contentLength) !== total)
        throw new UnreadableError();
      leftInPart = parts[0]?.size ?? 0;
      rest = head.subarray(metaEnd);
      head = undefined;
      yield { kind: "parts", parts };
    }
    while (part < parts.length && (rest.length > 0 || leftInPart === 0)) {
      const bytes = rest.slice(0, leftInPart);
      if (bytes.length > 0) yield { kind: "data", part, bytes };
      rest = rest.subarray(bytes.length);
      leftInPart -= bytes.length;
      if (leftInPart > 0) break;
      part += 1;
      leftInPart = parts[part]?.size ?? 0;
    }
    if (rest.some((byte) => byte !== 0)) throw new UnreadableError();
    wipe(chunk);
  }
  if (head) throw new UnreadableError();
}
