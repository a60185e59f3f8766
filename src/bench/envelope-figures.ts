/** Measures the envelope on whatever platform runs it: Node directly, Chromium from a bundle. */
import { argon2id } from "../envelope/argon2id.ts";
import { randomBytes } from "../envelope/bytes.ts";
import { deriveLinkKeys } from "../envelope/keys.ts";
import { createLinkSecret } from "../envelope/link.ts";
import { sealParts } from "../envelope/seal.ts";
import { SUITE_PLAIN } from "../envelope/suite.ts";
import { createShare } from "../envelope/tokens.ts";
import { unseal } from "../envelope/unseal.ts";

export interface SealFigures {
  /** Bytes of content. */
  readonly size: number;
  readonly rounds: number;
  /** Milliseconds for one secret: the median of all rounds. */
  readonly seal: number;
  readonly unseal: number;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

const PIECE = 64 * 1024;

/** The same piece over and over, so that the content itself takes no memory. */
async function* repeated(piece: Uint8Array, size: number) {
  for (let at = 0; at < size; at += piece.length) yield piece.subarray(0, Math.min(piece.length, size - at));
}

/** From content to blob and back, key derivation for the blob included, Argon2id not. */
export async function measureSealing(size: number, rounds: number): Promise<SealFigures> {
  const linkKeys = await deriveLinkKeys(createLinkSecret(SUITE_PLAIN));
  const keys = await linkKeys.unlock(undefined, () => Promise.reject(new Error("No passphrase here.")));
  const piece = randomBytes(PIECE);
  const [sealTimes, unsealTimes]: [number[], number[]] = [[], []];
  for (let round = 0; round <= rounds; round++) {
    const share = createShare();
    const blob: Uint8Array<ArrayBuffer>[] = [];
    let start = performance.now();
    const sealing = sealParts(keys, share, [{ kind: "file", size, content: repeated(piece, size) }]);
    for await (const bytes of sealing.pieces) blob.push(bytes);
    const sealTime = performance.now() - start;

    async function* source() {
      yield* blob;
    }
    let opened = 0;
    start = performance.now();
    for await (const out of unseal(keys, share, source()))
      if (out.kind === "data") opened += out.bytes.length;
    const unsealTime = performance.now() - start;
    if (opened !== size) throw new Error(`${opened} bytes came out, not ${size}.`);
    if (round === 0) continue; // warming up
    sealTimes.push(sealTime);
    unsealTimes.push(unsealTime);
  }
  return { size, rounds, seal: median(sealTimes), unseal: median(unsealTimes) };
}

/** Milliseconds for one passphrase: the median of all rounds. */
export async function measureArgon2id(rounds: number): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const start = performance.now();
    argon2id(randomBytes(20), randomBytes(16));
    if (round > 0) times.push(performance.now() - start);
  }
  return median(times);
}
