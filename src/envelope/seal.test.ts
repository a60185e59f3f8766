import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { UnsealableError } from "./errors.ts";
import { CHUNK_BYTES } from "./layout.ts";
import type { Part } from "./parts.ts";
import { gather, sealedLength, sealParts } from "./seal.ts";
import { cut, filePart, fillingPart, makeSealer, sealToBlob } from "./testing.ts";

const sealer = await makeSealer();
const isUnsealable = (error: unknown) => error instanceof UnsealableError && error.code === "unsealable";

/** A source that tells how often it was asked, and whether it was told to stop. */
function observed(pieces: number, pieceLength: number) {
  const seen = { asked: 0, stopped: 0 };
  async function* source() {
    try {
      for (let i = 0; i < pieces; i++) {
        seen.asked += 1;
        yield new Uint8Array(pieceLength);
      }
    } finally {
      seen.stopped += 1;
    }
  }
  return { seen, source: source() };
}

describe("sealing", () => {
  it("tells the blob's length before anything is encrypted", async () => {
    for (const size of [0, 1000, 65_400, 65_536, 200_000]) {
      const parts = [filePart(new Uint8Array(size), "名前.txt", "text/plain"), filePart(new Uint8Array(3))];
      assert.equal(sealedLength(parts), (await sealToBlob(sealer, parts)).length, String(size));
    }
  });

  it("refuses a content that is longer or shorter than was said of it, streaming or not", async () => {
    for (const size of [0, 99, 101, 70_000]) {
      const bytes = new Uint8Array(100);
      for (const content of [bytes, cut(bytes, [7]), cut(bytes, [1, 0])]) {
        await assert.rejects(
          sealToBlob(sealer, [{ kind: "file", size, content }]),
          isUnsealable,
          String(size),
        );
      }
    }
  });

  it("refuses parts that only together have the length that was said of them", async () => {
    const [a, b] = [new Uint8Array(10), new Uint8Array(20)];
    const parts: Part[] = [
      { kind: "file", size: 20, content: a },
      { kind: "file", size: 10, content: b },
    ];
    await assert.rejects(sealToBlob(sealer, parts), isUnsealable);
  });

  it("stops a file that never ends", async () => {
    const { seen, source } = observed(Infinity, 1000);
    await assert.rejects(sealToBlob(sealer, [{ kind: "file", size: 5000, content: source }]), isUnsealable);
    assert.ok(seen.asked < 10, `${seen.asked} pieces were read`);
    assert.equal(seen.stopped, 1);
  });

  it("refuses sizes that are no lengths, before any byte is read", () => {
    for (const size of [-1, 0.5, Number.NaN, Infinity, 2 ** 53]) {
      const { seen, source } = observed(1, 1);
      assert.throws(
        () => sealParts(sealer.keys, sealer.share, [{ kind: "file", size, content: source }]),
        isUnsealable,
      );
      assert.equal(seen.asked, 0);
    }
    const huge = { kind: "file", size: Number.MAX_SAFE_INTEGER, content: new Uint8Array(0) } as const;
    assert.throws(() => sealParts(sealer.keys, sealer.share, [huge]), isUnsealable);
    assert.throws(() => sealParts(sealer.keys, sealer.share, [huge, huge]), isUnsealable);
  });

  it("passes a source's own fault on as it is", async () => {
    const fault = new Error("The disk is gone.");
    async function* source() {
      yield new Uint8Array(CHUNK_BYTES);
      throw fault;
    }
    const part: Part = { kind: "file", size: 3 * CHUNK_BYTES, content: source() };
    await assert.rejects(sealToBlob(sealer, [part]), (error) => error === fault);
  });

  it("releases its source when it is abandoned half-way, and has wiped its buffer, also after a fault", async (t) => {
    const { seen, source } = observed(100, 10_000);
    const encrypted: Uint8Array[] = [];
    const encrypt = crypto.subtle.encrypt.bind(crypto.subtle);
    t.mock.method(crypto.subtle, "encrypt", (...args: Parameters<typeof encrypt>) => {
      if (args[2] instanceof Uint8Array) encrypted.push(args[2]);
      return encrypt(...args);
    });
    const text = filePart(new Uint8Array(CHUNK_BYTES).fill(0x41));
    const { pieces } = sealParts(sealer.keys, sealer.share, [
      text,
      { kind: "file", size: 1_000_000, content: source },
    ]);
    let taken = 0;
    for await (const _ of pieces) if (++taken === 3) break;
    assert.equal(seen.stopped, 1);
    assert.equal(encrypted.length, 2);

    async function* failing() {
      yield new Uint8Array(1000).fill(0x41);
      throw new Error("The disk is gone.");
    }
    await assert.rejects(sealToBlob(sealer, [text, { kind: "file", size: 1_000_000, content: failing() }]));
    assert.equal(encrypted.length, 3);
    assert.ok(encrypted.every((bytes) => bytes.every((byte) => byte === 0)));
  });

  it("reads no further than it must for what is asked of it, over 64 MiB", async (t) => {
    const pieceLength = CHUNK_BYTES;
    const count = 1024;
    const { seen, source } = observed(count, pieceLength);
    const { pieces } = sealParts(sealer.keys, sealer.share, [
      { kind: "file", size: count * pieceLength, content: source },
    ]);
    let [made, ahead, highest] = [-1, 0, 0]; // the prefix comes before the first chunk
    for await (const _ of pieces) {
      made += 1;
      ahead = Math.max(ahead, seen.asked - made);
      highest = Math.max(highest, process.memoryUsage().arrayBuffers);
    }
    t.diagnostic(
      `64 MiB sealed, ${ahead} piece(s) ahead, ${Math.round(highest / 2 ** 20)} MiB of buffers at most`,
    );
    assert.equal(made, count + 32); // 2 MiB of padding come to 32 chunks
    assert.ok(ahead <= 1, `${ahead} pieces were read ahead`);
  });

  it("asks for nothing before the first piece is taken", async () => {
    const { seen, source } = observed(1, 100);
    const sealing = sealParts(sealer.keys, sealer.share, [{ kind: "file", size: 100, content: source }]);
    assert.equal(seen.asked, 0);
    assert.equal((await gather(sealing)).length, sealing.length);
  });

  it("never makes the same blob twice of the same link and content", async () => {
    const again = await makeSealer(sealer.link);
    const parts = [fillingPart(CHUNK_BYTES)];
    const [a, b] = [await sealToBlob(sealer, parts), await sealToBlob(again, parts)];
    assert.deepEqual(a.slice(0, 32), b.slice(0, 32));
    for (let at = 32; at + 16 <= a.length; at += 16) {
      assert.notDeepEqual(a.slice(at, at + 16), b.slice(at, at + 16), `block at ${at}`);
    }
  });
});
