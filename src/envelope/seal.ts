import { type Bytes, concat, wipe } from "./bytes.ts";
import { UnsealableError } from "./errors.ts";
import type { AccessKeys } from "./keys.ts";
import { blobLength, CHUNK_BYTES, chunkCount, chunkNonce, encodeHeader, paddedLength } from "./layout.ts";
import { encodeMeta, type Part, type PartDescription } from "./parts.ts";
import type { Ciphertext, Share } from "./tokens.ts";

/** A blob in the making. */
export interface Sealing {
  /** The exact length of all pieces together, known before the first is made. */
  readonly length: number;
  /** The blob's bytes in order, encrypted as they are asked for. To be read once. */
  readonly pieces: AsyncGenerator<Bytes, void, void>;
}

async function* plaintext(meta: Bytes, parts: readonly Part[]): AsyncGenerator<Uint8Array, void, void> {
  const lengthOfMeta = new Uint8Array(4);
  new DataView(lengthOfMeta.buffer).setUint32(0, meta.length);
  yield lengthOfMeta;
  yield meta;
  for (const part of parts) {
    let seen = 0;
    for await (const piece of part.content instanceof Uint8Array ? [part.content] : part.content) {
      seen += piece.length;
      yield piece;
    }
    if (seen !== part.size)
      throw new UnsealableError("A file changed while it was being read. Add it again.");
  }
}

function contentLengthOf(parts: readonly PartDescription[], meta: Bytes): number {
  return parts.reduce((sum, { size }) => sum + size, 4 + meta.length);
}

/** How long the blob of these parts will be, before anything is read or encrypted. */
export function sealedLength(parts: readonly PartDescription[]): number {
  return blobLength(paddedLength(contentLengthOf(parts, encodeMeta(parts))));
}

export function sealParts(keys: AccessKeys, share: Share, parts: readonly Part[]): Sealing {
  const meta = encodeMeta(parts);
  const contentLength = contentLengthOf(parts, meta);
  const padded = paddedLength(contentLength);
  if (!Number.isSafeInteger(padded)) throw new UnsealableError("This is too much for one secret.");
  const header = encodeHeader(keys.suite, keys.id, padded);
  const lastIndex = chunkCount(padded) - 1;

  async function* pieces(): AsyncGenerator<Bytes, void, void> {
    const { key, commitment } = await keys.contentKeys(share, header);
    yield concat(header, commitment);

    const chunk = new Uint8Array(Math.min(CHUNK_BYTES, padded));
    let filled = 0;
    let index = 0;
    const encryptChunk = async (length: number): Promise<Bytes> => {
      const iv = chunkNonce(index, index === lastIndex);
      const params = { name: "AES-GCM", iv, additionalData: header };
      const sealed = new Uint8Array(await crypto.subtle.encrypt(params, key, chunk.subarray(0, length)));
      chunk.fill(0); // leaves no plaintext behind, and is the padding of what follows
      filled = 0;
      index += 1;
      return sealed;
    };

    try {
      let written = 0;
      for await (const piece of plaintext(meta, parts)) {
        written += piece.length;
        if (written > contentLength)
          throw new UnsealableError("A file grew while it was being read. Add it again.");
        for (let at = 0; at < piece.length; ) {
          const taken = piece.subarray(at, at + chunk.length - filled);
          chunk.set(taken, filled);
          filled += taken.length;
          at += taken.length;
          if (filled === CHUNK_BYTES) yield await encryptChunk(CHUNK_BYTES);
        }
      }
      while (index <= lastIndex) {
        yield await encryptChunk(index === lastIndex ? padded - index * CHUNK_BYTES : CHUNK_BYTES);
      }
    } finally {
      wipe(chunk, meta);
    }
  }

  return { length: blobLength(padded), pieces: pieces() };
}

/** Puts a small blob together in one piece of memory. */
export async function gather({ length, pieces }: Sealing): Promise<Ciphertext> {
  const blob = new Uint8Array(length);
  let at = 0;
  for await (const piece of pieces) {
    blob.set(piece, at);
    at += piece.length;
  }
  return blob as Uint8Array as Ciphertext;
}
