import { type Ciphertext, storedCiphertext } from "../envelope/tokens.ts";
import { BLOB_BLOCK } from "./store.ts";

/** A blob's bytes in this process. */
export interface MemoryBlob {
  readonly size: number;
  /** Copies; all of it must lie inside. */
  write(offset: number, bytes: Uint8Array): void;
  /** A copy. */
  read(start: number, end: number): Ciphertext;
  /** Overwrites and lets go of all bytes. */
  wipe(): void;
}

/** In blocks that are made when their first byte comes, for a client may declare more than it sends. */
export function createMemoryBlob(size: number): MemoryBlob {
  const blocks = new Map<number, Uint8Array>();

  function blockAt(index: number): Uint8Array {
    const known = blocks.get(index);
    if (known) return known;
    const block = new Uint8Array(Math.min(BLOB_BLOCK, size - index * BLOB_BLOCK));
    blocks.set(index, block);
    return block;
  }

  return {
    size,
    write(offset, bytes) {
      for (let done = 0; done < bytes.length; ) {
        const inside = (offset + done) % BLOB_BLOCK;
        const piece = bytes.subarray(done, done + BLOB_BLOCK - inside);
        blockAt(Math.floor((offset + done) / BLOB_BLOCK)).set(piece, inside);
        done += piece.length;
      }
    },
    read(start, end) {
      const bytes = new Uint8Array(end - start);
      for (let at = start; at < end; ) {
        const inside = at % BLOB_BLOCK;
        const block = blockAt(Math.floor(at / BLOB_BLOCK));
        const piece = block.subarray(inside, inside + Math.min(block.length - inside, end - at));
        bytes.set(piece, at - start);
        at += piece.length;
      }
      return storedCiphertext(bytes);
    },
    wipe() {
      for (const block of blocks.values()) block.fill(0);
      blocks.clear();
    },
  };
}
