import { allocate, type Bytes, concat, copyOf, equalBytes, wipe } from "./bytes.ts";
import { UnreadableError } from "./errors.ts";
import type { AccessKeys } from "./keys.ts";
import {
  CHUNK_BYTES,
  COMMITMENT_BYTES,
  chunkCount,
  chunkNonce,
  decodeHeader,
  HEADER_BYTES,
  isWholeBlob,
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
  let pieces: AsyncIterator<Uint8Array> | undefined;
  let running = false; // like `for await`: a source that failed or ended isn't told to stop
  let rest: Uint8Array = new Uint8Array(0);
  async function nextPiece(): Promise<IteratorResult<Uint8Array>> {
    try {
      pieces ??= source[Symbol.asyncIterator]();
      const next = await pieces.next();
      running = !next.done;
      return next;
    } catch (cause) {
      running = false;
      throw new SourceError("source", { cause });
    }
  }
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
    /** A source that can't be stopped changes nothing about what was read from it. */
    async close(): Promise<void> {
      try {
        if (running) await pieces?.return?.();
      } catch {}
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

/** The parts must be what the padded length was computed from: one content has one blob. */
function checkTotal(parts: readonly PartDescription[], metaEnd: number, total: number): void {
  const contentLength = parts.reduce((sum, { size }) => sum + size, metaEnd);
  if (paddedLength(contentLength) !== total) throw new UnreadableError();
}

async function* split(
  keys: AccessKeys,
  share: Share,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Unsealed, void, void> {
  let head: Bytes | undefined = new Uint8Array(0); // everything up to the end of meta
  let held: Bytes = head; // the plaintext in our hands, to be wiped whichever way we leave
  let parts: readonly PartDescription[] = [];
  let part = 0;
  let leftInPart = 0;

  try {
    for await (const { chunk, total } of decryptChunks(keys, share, source)) {
      let rest = chunk;
      if (head) {
        const longer = concat(head, chunk);
        wipe(head, chunk);
        head = held = rest = longer;
        const metaEnd = 4 + checkMetaLength(new DataView(head.buffer).getUint32(0), total);
        if (head.length < metaEnd) continue;
        parts = parseMeta(head.subarray(4, metaEnd));
        checkTotal(parts, metaEnd, total);
        leftInPart = parts[0]?.size ?? 0;
        rest = head.subarray(metaEnd);
        head = undefined;
        yield { kind: "parts", parts };
      } else {
        held = chunk;
      }
      while (part < parts.length && rest.length > 0) {
        const bytes = copyOf(rest.subarray(0, leftInPart));
        if (bytes.length > 0) yield { kind: "data", part, bytes };
        rest = rest.subarray(bytes.length);
        leftInPart -= bytes.length;
        if (leftInPart > 0) break;
        part += 1;
        leftInPart = parts[part]?.size ?? 0;
      }
      if (rest.some((byte) => byte !== 0)) throw new UnreadableError();
      wipe(held);
    }
  } finally {
    wipe(held);
  }
}

/** A part with all its bytes. */
export interface UnsealedPart extends PartDescription {
  readonly bytes: Bytes;
}

/**
 * Opens a small blob that is in memory already. Throws `UnreadableError`; never gives out a piece,
 * and never asks for more memory than the blob itself takes, whatever sizes its sender wrote.
 */
export async function unsealWhole(keys: AccessKeys, share: Share, blob: Uint8Array): Promise<UnsealedPart[]> {
  if (!isWholeBlob(blob, blob.length, keys.suite, keys.id)) throw new UnreadableError();
  async function* source() {
    yield blob;
  }
  const filling: { part: UnsealedPart; filled: number }[] = [];
  try {
    for await (const piece of unseal(keys, share, source())) {
      if (piece.kind === "parts") {
        for (const part of piece.parts)
          filling.push({ part: { ...part, bytes: allocate(part.size) }, filled: 0 });
        continue;
      }
      const target = filling[piece.part];
      if (!target) throw new UnreadableError();
      target.part.bytes.set(piece.bytes, target.filled);
      target.filled += piece.bytes.length;
      wipe(piece.bytes);
    }
  } catch (error) {
    wipe(...filling.map(({ part }) => part.bytes));
    throw error;
  }
  return filling.map(({ part }) => part);
}
