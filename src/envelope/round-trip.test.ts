import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { decodeUtf8 } from "./bytes.ts";
import { CHUNK_BYTES } from "./layout.ts";
import { createLinkSecret } from "./link.ts";
import { type Part, textPart } from "./parts.ts";
import { sealParts } from "./seal.ts";
import { SUITE_PASSPHRASE } from "./suite.ts";
import { cut, filePart, fillingPart, makeSealer, open, sealToBlob } from "./testing.ts";

/** Any text that UTF-16 can hold whole, in which nothing is special. */
const text = fc.string({ unit: "binary", maxLength: 400 });
const label = fc.option(text, { nil: undefined });
const cuts = fc.array(fc.integer({ min: 0, max: 70_000 }), { minLength: 1, maxLength: 8 });
const smallCuts = fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 8 });

interface Given {
  readonly part: Part & { readonly content: Uint8Array };
  /** Where the content streams: the lengths of its pieces. */
  readonly cuts: readonly number[] | undefined;
}

const given: fc.Arbitrary<Given> = fc
  .oneof(
    text.map(textPart),
    fc.tuple(fc.uint8Array({ maxLength: 3000 }), label, label).map((args) => filePart(...args)),
  )
  .chain((part) =>
    fc.record({
      part: fc.constant({ ...part, content: part.content as Uint8Array }),
      cuts: fc.option(smallCuts, { nil: undefined }),
    }),
  );

const asSource = ({ part, cuts: lengths }: Given): Part =>
  lengths ? { ...part, content: cut(part.content, lengths) } : part;

async function assertRoundTrip(parts: readonly Given[], blobCuts: number[]): Promise<void> {
  const sealer = await makeSealer();
  const blob = await sealToBlob(sealer, parts.map(asSource));
  const opened = await open(sealer, blob, blobCuts);
  assert.deepEqual(
    opened.parts,
    parts.map(({ part: { content: _, ...description } }) => description),
  );
  assert.ok(
    opened.contents.every((bytes, i) => Buffer.from(bytes).equals(parts[i]?.part.content ?? bytes)),
    "a part came out different",
  );
}

describe("what was sealed", () => {
  it("comes out the same, whatever the parts and however content and blob are cut", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(given, { minLength: 1, maxLength: 6 }), smallCuts, assertRoundTrip),
      { numRuns: 300 },
    );
  });

  it("comes out the same around the borders of chunks", async () => {
    const border = fc.record({
      chunks: fc.integer({ min: 1, max: 3 }),
      off: fc.integer({ min: -20, max: 20 }),
    });
    await fc.assert(
      fc.asyncProperty(
        border,
        fc.option(cuts, { nil: undefined }),
        cuts,
        async ({ chunks, off }, lengths, blobCuts) => {
          const part = fillingPart(chunks * CHUNK_BYTES + off);
          await assertRoundTrip(
            [{ part: { ...part, content: part.content as Uint8Array }, cuts: lengths }],
            blobCuts,
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it("comes out the same when its bytes arrive one by one", async () => {
    const sealer = await makeSealer();
    const parts = [
      textPart("one by one"),
      filePart(new Uint8Array(0), "empty"),
      filePart(Uint8Array.of(0, 0, 0)),
    ];
    const blob = await sealToBlob(sealer, parts);
    const opened = await open(sealer, blob, [1, 0]);
    assert.deepEqual(
      opened.contents.map((bytes) => [...bytes]),
      [[...Buffer.from("one by one")], [], [0, 0, 0]],
    );
  });

  it("keeps a byte order mark, line ends, NUL and trailing zeros of a text", async () => {
    const sealer = await makeSealer();
    for (const secret of [
      "\ufeffhunter2",
      "\ufeff",
      "a\r\nb\rc\n",
      "\0",
      "tail\0\0\0",
      "e\u0301 \u00e9 \ufb01",
    ]) {
      const { contents } = await open(sealer, await sealToBlob(sealer, [textPart(secret)]));
      assert.equal(decodeUtf8(contents[0] ?? new Uint8Array(1)), secret);
    }
  });

  it("keeps a file name that isn't well-formed UTF-16, as some file systems allow", async () => {
    const sealer = await makeSealer();
    const blob = await sealToBlob(sealer, [filePart(Uint8Array.of(1), "half \ud83d of a name")]);
    assert.equal((await open(sealer, blob)).parts[0]?.name, "half \ud83d of a name");
  });

  it("comes out with the passphrase in any spelling that NFKC makes one", async () => {
    const link = createLinkSecret(SUITE_PASSPHRASE);
    const sealer = await makeSealer(link, "\u212bngstr\u00f6m \ufb01");
    const blob = await sealToBlob(sealer, [textPart("hunter2")]);
    const { keys } = await makeSealer(link, "A\u030angstro\u0308m fi");
    assert.equal(keys.accessProof.join(), sealer.keys.accessProof.join());
    const { contents } = await open({ keys, share: sealer.share }, blob);
    assert.equal(decodeUtf8(contents[0] ?? new Uint8Array(1)), "hunter2");
  });

  it("has a blob as long as announced, to the byte", async () => {
    const sealer = await makeSealer();
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 60, max: 200_000 }), async (size) => {
        const { length, pieces } = sealParts(sealer.keys, sealer.share, [filePart(new Uint8Array(size))]);
        let seen = 0;
        for await (const piece of pieces) seen += piece.length;
        assert.equal(seen, length);
      }),
      { numRuns: 60 },
    );
  });
});
