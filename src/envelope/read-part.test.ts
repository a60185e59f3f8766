import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { concat } from "./bytes.ts";
import { CHUNK_BYTES, PREFIX_BYTES } from "./layout.ts";
import { type Part, textPart } from "./parts.ts";
import { createReadPart, type ReadPart } from "./read-part.ts";
import { expectUnreadable, filePart, makeSealer, type Sealer, sealToBlob } from "./testing.ts";

const noise = (size: number) => Uint8Array.from({ length: size }, (_, i) => (i * 7 + (i >> 8)) % 256);

async function read(readPart: ReadPart, part: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of readPart(part)) pieces.push(piece.slice());
  return concat(...pieces);
}

async function openParts(sealer: Sealer, parts: readonly Part[]) {
  const blob = await sealToBlob(sealer, parts);
  const asked: [number, number][] = [];
  const readAt = async (start: number, end: number) => {
    asked.push([start, end]);
    return blob.slice(start, end);
  };
  return { blob, asked, readPart: await createReadPart(sealer.keys, sealer.share, parts, readAt) };
}

describe("a part read by itself", () => {
  it("has exactly the bytes that were sealed, wherever parts and chunks begin and end", async () => {
    const nearChunk = fc.integer({ min: -3, max: 3 }).map((off) => Math.max(0, CHUNK_BYTES + off));
    const size = fc.oneof(fc.integer({ min: 0, max: 3 }), nearChunk, fc.integer({ min: 0, max: 200_000 }));
    await fc.assert(
      fc.asyncProperty(fc.array(size, { minLength: 1, maxLength: 5 }), async (sizes) => {
        const parts = sizes.map((length, i) => filePart(noise(length), `file ${i}`));
        const { readPart } = await openParts(await makeSealer(), parts);
        for (const [i, { content }] of parts.entries()) {
          assert.ok(Buffer.from(await read(readPart, i)).equals(content as Uint8Array), `${sizes}: ${i}`);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("can be read again, and takes only the chunks that hold it", async () => {
    const parts = [
      textPart("hunter2"),
      filePart(noise(5 * CHUNK_BYTES), "big"),
      filePart(noise(10), "small"),
    ];
    const { asked, readPart } = await openParts(await makeSealer(), parts);
    for (let turn = 0; turn < 2; turn++) {
      asked.length = 0;
      assert.deepEqual(await read(readPart, 2), noise(10));
      assert.equal(asked.length, 1);
      const [[start, end] = [0, 0]] = asked;
      assert.ok(start > PREFIX_BYTES + 4 * CHUNK_BYTES && end - start <= CHUNK_BYTES + 16);
    }
  });

  it("reads a part of several MiB in pieces of one", async () => {
    const { asked, readPart } = await openParts(await makeSealer(), [filePart(noise(3 << 20))]);
    asked.length = 0;
    assert.deepEqual(await read(readPart, 0), noise(3 << 20));
    assert.ok(asked.every(([start, end]) => end - start <= 16 * (CHUNK_BYTES + 16)));
  });

  it("can't be read from a blob that has changed since, or with another share", async () => {
    const sealer = await makeSealer();
    const parts = [filePart(noise(100_000))];
    const { blob, readPart } = await openParts(sealer, parts);
    blob.set([(blob[200] ?? 0) ^ 1], 200);
    await expectUnreadable(read(readPart, 0), "changed");
    const other = await makeSealer();
    const wrong = await createReadPart(sealer.keys, other.share, parts, async (a, b) => blob.slice(a, b));
    await expectUnreadable(read(wrong, 0), "another share");
  });

  it("lets a fault of the storage through as it is", async () => {
    const sealer = await makeSealer();
    const parts = [filePart(noise(1000))];
    const blob = await sealToBlob(sealer, parts);
    const fault = new Error("disk");
    const readPart = await createReadPart(sealer.keys, sealer.share, parts, async (start, end) => {
      if (start > 0) throw fault;
      return blob.slice(start, end);
    });
    await assert.rejects(read(readPart, 0), fault);
  });
});
