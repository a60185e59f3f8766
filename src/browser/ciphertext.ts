import type { LinkKeys } from "../envelope/keys.ts";
import { isWholeBlob } from "../envelope/layout.ts";
import { ConnectionError, readBlob } from "./api.ts";
import { cancellable } from "./cancellable.ts";
import { createDownload, type Download } from "./download.ts";

/** What the share will open: fetched before anything is used up, and kept until the page is left. */
export interface HeldCiphertext {
  /** Whether fetching and decrypting it take long enough to be shown. */
  readonly isLarge: boolean;
  /** Shows how far it is, with a way out, where it is large: `CancelledError`. */
  fetch(): Promise<Blob>;
  /** What came is damaged: the next fetch begins anew. */
  drop(): void;
}

/** Bytes of a blob that come in one go. */
const SMALL = 65_536;

/** A download that was cut short, or isn't what this link's sender made, must not cost the share. */
async function fetchSmall({ suite, id }: LinkKeys, bearer: string): Promise<Blob> {
  const blob = await readBlob(bearer);
  if (!isWholeBlob(blob, blob.length, suite, id)) throw new ConnectionError("The download is not whole");
  return new Blob([blob]);
}

/** `size`: bytes, where the server has said so. */
export function createCiphertext(keys: LinkKeys, bearer: string, size = 0): HeldCiphertext {
  const isLarge = size > SMALL;
  let held: Blob | undefined;
  let download: Download | undefined;
  return {
    isLarge,
    async fetch() {
      if (!held && isLarge) {
        download ??= createDownload(keys, bearer, size);
        held = await cancellable("downloading", ["Downloading"], download.fetch);
      }
      held ??= await fetchSmall(keys, bearer);
      return held;
    },
    drop() {
      held = download = undefined;
    },
  };
}
