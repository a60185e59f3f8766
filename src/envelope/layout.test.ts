import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  blobLength,
  CHUNK_BYTES,
  chunkCount,
  chunkNonce,
  decodeHeader,
  encodeHeader,
  isWholeBlob,
  maxBlobLength,
  paddedLength,
} from "./layout.ts";
import { padme } from "./second-implementation.ts";
import { SUITE_PASSPHRASE, SUITE_PLAIN } from "./suite.ts";
import { formatId } from "./tokens.ts";

const LARGEST = 2 ** 53 - 1;
const id = formatId(Uint8Array.from({ length: 16 }, (_, i) => 0xf0 + i));

/** Every order of magnitude equally often, powers of two and their neighbours among them. */
const anyLength = fc
  .tuple(
    fc.integer({ min: 0, max: 52 }),
    fc.integer({ min: -3, max: 3 }),
    fc.double({ min: 0, max: 1, noNaN: true }),
  )
  .map(([exponent, near, far]) =>
    Math.min(LARGEST, Math.max(0, 2 ** exponent + (far < 0.3 ? near : Math.floor(2 ** exponent * far)))),
  );

describe("the padded length", () => {
  it("is Padmé of at least 1,024, as whole-number arithmetic has it, up to 2^53", () => {
    for (let length = 0; length <= 70_000; length++) {
      assert.equal(paddedLength(length), Number(padme(BigInt(length))), String(length));
    }
    for (let exponent = 10; exponent <= 52; exponent++) {
      for (const length of [2 ** exponent - 1, 2 ** exponent, 2 ** exponent + 1, 2 ** exponent * 1.5]) {
        assert.equal(BigInt(paddedLength(length)), padme(BigInt(length)), String(length));
      }
    }
    fc.assert(
      fc.property(anyLength, (length) => BigInt(paddedLength(length)) === padme(BigInt(length))),
      { numRuns: 20_000 },
    );
  });

  it("is padded already", () => {
    fc.assert(
      fc.property(anyLength, (length) => paddedLength(paddedLength(length)) === paddedLength(length)),
    );
  });

  it("never shrinks as the content grows", () => {
    fc.assert(
      fc.property(
        anyLength,
        anyLength,
        (a, b) => paddedLength(Math.min(a, b)) <= paddedLength(Math.max(a, b)),
      ),
    );
  });

  it("costs at most 12 % from 1,024 bytes on, and holds the content", () => {
    fc.assert(
      fc.property(anyLength, (length) => {
        const padded = paddedLength(length);
        return padded >= length && (length < 1024 || padded - length <= 0.12 * length);
      }),
      { numRuns: 20_000 },
    );
  });
});

describe("the blob's length", () => {
  it("counts header, commitment and one tag for each chunk", () => {
    assert.equal(blobLength(1024), 32 + 32 + 1024 + 16);
    assert.equal(blobLength(CHUNK_BYTES), 64 + CHUNK_BYTES + 16);
    assert.equal(blobLength(CHUNK_BYTES + 2048), 64 + CHUNK_BYTES + 2048 + 32);
    assert.deepEqual([1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES].map(chunkCount), [1, 1, 2, 2]);
  });

  it("is at most what the limit on the parts allows, for every smaller content", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 31 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (max, share) => {
          const content = 4096 + Math.floor(max * share);
          return blobLength(paddedLength(content)) <= maxBlobLength(max);
        },
      ),
    );
  });
});

describe("the header", () => {
  it("stands byte for byte as the protocol draws it", () => {
    assert.equal(
      Buffer.from(encodeHeader(SUITE_PASSPHRASE, id, 0x1234_5678_9ac0)).toString("hex"),
      "57585331" + "02" + "10" + "0000" + "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff" + "0000123456789ac0",
    );
  });

  it("gives the length back for the link it was made for", () => {
    fc.assert(
      fc.property(anyLength.map(paddedLength), (length) => {
        const read = decodeHeader(encodeHeader(SUITE_PLAIN, id, length), SUITE_PLAIN, id);
        return read === (Number.isSafeInteger(length) ? length : undefined);
      }),
    );
  });

  it("is refused when any byte differs in any way", () => {
    const header = encodeHeader(SUITE_PLAIN, id, 1024);
    for (let at = 0; at < 24; at++) {
      for (let value = 0; value < 256; value++) {
        if (value === header[at]) continue;
        const other = header.slice();
        other[at] = value;
        assert.equal(decodeHeader(other, SUITE_PLAIN, id), undefined, `byte ${at} = ${value}`);
      }
    }
  });

  it("is refused for a length that no sender writes: unpadded, tiny, or past all whole numbers", () => {
    const lengths = [0n, 1n, 1023n, 1025n, 65_537n, 2n ** 53n, 2n ** 53n + 2n, 2n ** 63n, 2n ** 64n - 1n];
    for (const length of lengths) {
      const header = encodeHeader(SUITE_PLAIN, id, 1024);
      new DataView(header.buffer).setBigUint64(24, length);
      assert.equal(decodeHeader(header, SUITE_PLAIN, id), undefined, String(length));
    }
  });

  it("shows whether a download has the form of the whole blob", () => {
    const header = encodeHeader(SUITE_PLAIN, id, 2048);
    const start = new Uint8Array([...header, ...new Uint8Array(100)]);
    const whole = blobLength(2048);
    assert.equal(isWholeBlob(start, whole, SUITE_PLAIN, id), true);
    assert.equal(isWholeBlob(start, whole - 1, SUITE_PLAIN, id), false);
    assert.equal(isWholeBlob(start, whole + 1, SUITE_PLAIN, id), false);
    assert.equal(isWholeBlob(start, whole, SUITE_PASSPHRASE, id), false);
    assert.equal(isWholeBlob(start.subarray(1), whole, SUITE_PLAIN, id), false);
    assert.equal(isWholeBlob(start.subarray(0, 31), whole, SUITE_PLAIN, id), false);
    assert.equal(isWholeBlob(new Uint8Array(0), 0, SUITE_PLAIN, id), false);
  });
});

describe("a chunk's nonce", () => {
  it("is an 88-bit counter and the mark of the last chunk", () => {
    const hex = (index: number, last: boolean) => Buffer.from(chunkNonce(index, last)).toString("hex");
    assert.equal(hex(0, false), "000000000000000000000000");
    assert.equal(hex(0, true), "000000000000000000000001");
    assert.equal(hex(1, false), "000000000000000000000100");
    assert.equal(hex(0x0102_0304, true), "000000000000000102030401");
    assert.equal(hex(2 ** 52, false), "000000001000000000000000");
  });
});
