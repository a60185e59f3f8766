import { describe, it } from "node:test";
import { concat } from "./bytes.ts";
import { CHUNK_BYTES, HEADER_BYTES, PREFIX_BYTES, TAG_BYTES } from "./layout.ts";
import { createLinkSecret } from "./link.ts";
import { textPart } from "./parts.ts";
import { SUITE_PASSPHRASE, SUITE_PLAIN } from "./suite.ts";
import { expectUnreadable, fillingPart, makeSealer, open, sealToBlob } from "./testing.ts";
import type { Share } from "./tokens.ts";

const SEALED_CHUNK = CHUNK_BYTES + TAG_BYTES;

const small = await makeSealer();
const smallBlob = await sealToBlob(small, [textPart("hunter2")]);

/** Three full chunks, so that a swap changes no length. */
const big = await makeSealer();
const bigBlob = await sealToBlob(big, [fillingPart(3 * CHUNK_BYTES)]);
const prefix = bigBlob.slice(0, PREFIX_BYTES);
const chunksOf = (blob: Uint8Array) =>
  [0, 1, 2].map((i) => blob.slice(PREFIX_BYTES + i * SEALED_CHUNK, PREFIX_BYTES + (i + 1) * SEALED_CHUNK));
const bigChunks = chunksOf(bigBlob);

function flipped(blob: Uint8Array, bit: number): Uint8Array<ArrayBuffer> {
  const copy = blob.slice() as Uint8Array<ArrayBuffer>;
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

describe("a blob", () => {
  it("of the smallest kind is unreadable after any single-bit flip", async (t) => {
    let flips = 0;
    for (let byte = 0; byte < smallBlob.length; byte += 16) {
      const bits = Array.from({ length: 8 * Math.min(16, smallBlob.length - byte) }, (_, i) => 8 * byte + i);
      await Promise.all(
        bits.map((bit) => expectUnreadable(open(small, flipped(smallBlob, bit)), `bit ${bit}`)),
      );
      flips += bits.length;
    }
    t.diagnostic(`${flips} bit flips of a blob of ${smallBlob.length} bytes tried`);
  });

  it("of three chunks is unreadable after a bit flip in its prefix or at any border", async (t) => {
    const borders = [1, 2, 3].flatMap((i) => {
      const end = PREFIX_BYTES + i * SEALED_CHUNK;
      return [end - SEALED_CHUNK, end - SEALED_CHUNK / 2, end - TAG_BYTES - 1, end - TAG_BYTES, end - 1];
    });
    const places = [...Array(PREFIX_BYTES).keys(), ...borders];
    for (const place of places) {
      for (let bit = 8 * place; bit < 8 * place + 8; bit++) {
        await expectUnreadable(open(big, flipped(bigBlob, bit)), `bit ${bit}`);
      }
    }
    t.diagnostic(`${8 * places.length} bit flips of a blob of ${bigBlob.length} bytes tried`);
  });

  it("is unreadable when cut short at any length", async (t) => {
    for (let length = 0; length < smallBlob.length; length++) {
      await expectUnreadable(open(small, smallBlob.subarray(0, length)), `${length} bytes`);
    }
    for (const border of [0, HEADER_BYTES, ...[0, 1, 2, 3].map((i) => PREFIX_BYTES + i * SEALED_CHUNK)]) {
      for (const length of [border - 1, border, border + 1]) {
        if (length < 0 || length >= bigBlob.length) continue;
        await expectUnreadable(open(big, bigBlob.subarray(0, length)), `${length} bytes`);
      }
    }
    t.diagnostic(`${smallBlob.length} lengths of the smallest blob tried`);
  });

  it("is unreadable with anything behind it", async () => {
    for (const [sealer, blob] of [
      [small, smallBlob],
      [big, bigBlob],
    ] as const) {
      for (const more of [new Uint8Array(1), new Uint8Array(TAG_BYTES), blob.slice(PREFIX_BYTES), blob]) {
        await expectUnreadable(open(sealer, concat(blob, more)), `${more.length} bytes more`);
        await expectUnreadable(open(sealer, concat(blob, more), [blob.length, 0, 1]), "in a later piece");
      }
    }
  });

  it("is unreadable with its chunks in any order, number or repetition but the sealed one", async (t) => {
    let sequences: number[][] = [[]];
    let tried = 0;
    for (let length = 0; length <= 4; length++) {
      for (const sequence of sequences) {
        if (sequence.join() === "0,1,2") continue;
        const chunks = sequence.map((i) => bigChunks[i] ?? new Uint8Array(0));
        await expectUnreadable(open(big, concat(prefix, ...chunks)), `chunks ${sequence}`);
        tried += 1;
      }
      sequences = sequences.flatMap((sequence) => [0, 1, 2].map((i) => [...sequence, i]));
    }
    t.diagnostic(`${tried} sequences of three chunks tried`);
  });

  it("is unreadable when it is cut at a chunk and its header made to agree", async () => {
    for (const chunks of [1, 2]) {
      const shorter = bigBlob.slice(0, PREFIX_BYTES + chunks * SEALED_CHUNK);
      new DataView(shorter.buffer).setBigUint64(24, BigInt(chunks * CHUNK_BYTES));
      await expectUnreadable(open(big, shorter), `${chunks} chunks`);
    }
  });

  it("is unreadable with a chunk, header or commitment of another blob, of the same link or not", async () => {
    const content = [fillingPart(3 * CHUNK_BYTES)];
    for (const other of [await makeSealer(), await makeSealer(big.link)]) {
      const otherBlob = await sealToBlob(other, content);
      for (const i of [0, 1, 2]) {
        const mixed = bigBlob.slice();
        mixed.set(chunksOf(otherBlob)[i] ?? prefix, PREFIX_BYTES + i * SEALED_CHUNK);
        await expectUnreadable(open(big, mixed), `chunk ${i}`);
      }
      const commitment = otherBlob.slice(HEADER_BYTES, PREFIX_BYTES);
      await expectUnreadable(
        open(big, concat(prefix.slice(0, HEADER_BYTES), commitment, ...bigChunks)),
        "CMT",
      );
      await expectUnreadable(open(big, concat(otherBlob.slice(0, PREFIX_BYTES), ...bigChunks)), "prefix");
      await expectUnreadable(open(big, otherBlob), "the whole other blob");
    }
  });
});

describe("a sound blob", () => {
  it("is unreadable with a share that differs in any bit", async () => {
    for (let bit = 0; bit < 256; bit++) {
      const share = flipped(small.share, bit) as Share;
      await expectUnreadable(open({ keys: small.keys, share }, smallBlob), `share bit ${bit}`);
    }
    await expectUnreadable(
      open({ keys: small.keys, share: new Uint8Array(0) as Share }, smallBlob),
      "no share",
    );
  });

  it("is unreadable with a link key that differs in any bit", async () => {
    for (let bit = 0; bit < 256; bit++) {
      const { keys } = await makeSealer({ suite: SUITE_PLAIN, key: flipped(small.link.key, bit) });
      await expectUnreadable(open({ keys, share: small.share }, smallBlob), `K bit ${bit}`);
    }
  });

  it("is unreadable under another id, even where the header is made to name it", async () => {
    const { keys } = await makeSealer();
    const renamed = smallBlob.slice();
    renamed.set(Buffer.from(keys.id, "base64url"), 8);
    await expectUnreadable(open({ keys, share: small.share }, renamed), "renamed for another link");
    await expectUnreadable(open(small, renamed), "renamed for its own link");
  });

  it("is unreadable in the other suite, even where the header is made to name it", async () => {
    for (const suite of [SUITE_PLAIN, SUITE_PASSPHRASE] as const) {
      const sealer = await makeSealer(
        createLinkSecret(suite),
        suite === SUITE_PLAIN ? undefined : "swordfish",
      );
      const blob = await sealToBlob(sealer, [textPart("hunter2")]);
      const otherSuite = suite === SUITE_PLAIN ? SUITE_PASSPHRASE : SUITE_PLAIN;
      const other = await makeSealer(
        { suite: otherSuite, key: sealer.link.key },
        otherSuite === SUITE_PLAIN ? undefined : "swordfish",
      );
      const renamed = blob.slice();
      renamed[4] = otherSuite;
      renamed.set(Buffer.from(other.keys.id, "base64url"), 8);
      for (const keys of [sealer.keys, other.keys]) {
        await expectUnreadable(open({ keys, share: sealer.share }, renamed), `suite ${suite}, renamed`);
      }
      await expectUnreadable(open({ keys: other.keys, share: sealer.share }, blob), `suite ${suite}`);
    }
  });

  it("is unreadable with another passphrase, none, or an empty one", async () => {
    const link = createLinkSecret(SUITE_PASSPHRASE);
    const sealer = await makeSealer(link, "swordfish");
    const blob = await sealToBlob(sealer, [textPart("hunter2")]);
    for (const passphrase of ["Swordfish", "swordfish ", "swordfis", "ſwordfishes"]) {
      const { keys } = await makeSealer(link, passphrase);
      await expectUnreadable(open({ keys, share: sealer.share }, blob), passphrase);
    }
    for (const passphrase of ["", undefined, "\ud800"])
      await expectUnreadable(makeSealer(link, passphrase), "none");
    await expectUnreadable(makeSealer(createLinkSecret(SUITE_PLAIN), "swordfish"), "a passphrase too many");
  });
});
