import { type Bytes, concat, wipe } from "../envelope/bytes.ts";
import type { AccessKeys } from "../envelope/keys.ts";
import type { PartDescription } from "../envelope/parts.ts";
import { createReadPart } from "../envelope/read-part.ts";
import type { Share } from "../envelope/tokens.ts";
import { unseal } from "../envelope/unseal.ts";

/** One thing that came out of the envelope, whole and authenticated. */
export interface OpenedPart extends PartDescription {
  /** All of a text that is short enough to be shown, the beginning of anything else. */
  readonly start: Bytes;
  /** Its bytes, decrypted as they are asked for, as often as they are. */
  readonly read: () => AsyncGenerator<Bytes, void, void>;
}

/** Bytes of text, all together, that a page can show without standing still. */
const MAX_SHOWN = 4 << 20;
/** Bytes that tell what kind of picture a file is. */
const START = 64;
/** Bytes read from the Blob at once. */
const PIECE = 1 << 20;

async function* readWhole(ciphertext: Blob): AsyncGenerator<Bytes, void, void> {
  for (let at = 0; at < ciphertext.size; at += PIECE) {
    yield new Uint8Array(await ciphertext.slice(at, at + PIECE).arrayBuffer());
  }
}

/**
 * Decrypts the whole once and keeps no more of it than is shown: only that tells that all of it is there
 * and unchanged. What is saved later is decrypted again from the ciphertext, by a key that can't be read
 * out; so the script's memory stays small whatever the size. Throws `UnreadableError`.
 */
export async function openContents(
  keys: AccessKeys,
  share: Share,
  ciphertext: Blob,
  progress: (done: number, size: number) => void,
): Promise<OpenedPart[]> {
  let parts: readonly PartDescription[] = [];
  let kept: { room: number; readonly pieces: Bytes[] }[] = [];
  let size = 0;
  let done = 0;
  for await (const piece of unseal(keys, share, readWhole(ciphertext))) {
    if (piece.kind === "parts") {
      parts = piece.parts;
      size = parts.reduce((sum, part) => sum + part.size, 0);
      let left = MAX_SHOWN;
      kept = parts.map(({ kind, size }) => {
        const shown = kind === "text" && size <= left;
        if (shown) left -= size;
        return { room: shown ? size : START, pieces: [] };
      });
      continue;
    }
    done += piece.bytes.length;
    progress(done, size);
    const place = kept[piece.part];
    if (place && place.room > 0) {
      const bytes = piece.bytes.slice(0, place.room);
      place.pieces.push(bytes);
      place.room -= bytes.length;
    }
    wipe(piece.bytes);
  }
  const readAt = async (start: number, end: number) =>
    new Uint8Array(await ciphertext.slice(start, end).arrayBuffer());
  const readPart = await createReadPart(keys, share, parts, readAt);
  return parts.map((part, i) => ({
    ...part,
    start: concat(...(kept[i]?.pieces ?? [])),
    read: () => readPart(i),
  }));
}
