import { BLOB_BLOCK } from "../store/store.ts";

/** A run of bytes and its place in the blob. `bytes` is used again for the next one. */
export interface Block {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/**
 * Puts a stream together into blocks on the store's own grid, the first of which starts at `offset`,
 * holding one block at a time. Where the stream breaks, what arrived comes out before the error does:
 * the sender need not send it again.
 */
export async function* cutIntoBlocks(
  source: AsyncIterable<Uint8Array>,
  offset: number,
): AsyncGenerator<Block, void, void> {
  const buffer = Buffer.allocUnsafeSlow(BLOB_BLOCK);
  let start = offset;
  let filled = 0;
  const room = () => BLOB_BLOCK - (start % BLOB_BLOCK);
  const take = (): Block => {
    const block = { offset: start, bytes: buffer.subarray(0, filled) };
    start += filled;
    filled = 0;
    return block;
  };

  let broken: { readonly cause: unknown } | undefined;
  const pieces = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await pieces.next().catch((cause: unknown) => {
        broken = { cause };
        return { done: true, value: undefined } as const;
      });
      if (next.done) break;
      for (let piece = next.value; piece.length > 0; ) {
        const taken = piece.subarray(0, room() - filled);
        buffer.set(taken, filled);
        filled += taken.length;
        piece = piece.subarray(taken.length);
        if (filled === room()) yield take();
      }
    }
    if (filled > 0) yield take();
  } finally {
    if (!broken) await pieces.return?.();
  }
  if (broken) throw broken.cause;
}
