import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { concat, decodeUtf8, equalBytes, isWellFormed, utf8 } from "./bytes.ts";

describe("bytes", () => {
  it("tell half a surrogate pair from a whole one, in any text", () => {
    const anyUnits = fc.array(
      fc.oneof(fc.integer({ min: 0xd7f0, max: 0xe010 }), fc.integer({ min: 0, max: 0xffff })),
    );
    fc.assert(
      fc.property(anyUnits, (units) => {
        const text = String.fromCharCode(...units);
        assert.equal(isWellFormed(text), Buffer.from(text, "utf8").toString("utf8") === text);
      }),
      { numRuns: 2000 },
    );
  });

  it("are read as UTF-8 only where they are, byte order mark included", () => {
    assert.equal(decodeUtf8(utf8("\ufeffa")), "\ufeffa");
    for (const bad of [
      [0x80],
      [0xc0, 0x80],
      [0xe2, 0x82],
      [0xed, 0xa0, 0x80],
      [0xf8, 0x88, 0x80, 0x80, 0x80],
    ]) {
      assert.throws(() => decodeUtf8(Uint8Array.from(bad)), TypeError);
    }
  });

  it("are equal when every one is, and as many", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        assert.equal(equalBytes(a, b), Buffer.compare(a, b) === 0);
        assert.ok(equalBytes(a, a.slice()));
        assert.ok(!equalBytes(a, concat(a, Uint8Array.of(0))));
      }),
    );
  });
});
