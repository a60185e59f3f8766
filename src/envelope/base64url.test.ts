import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { decodeBase64url, decodeBase64urlBytes, encodeBase64url, encodeBase64urlBytes } from "./base64url.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

describe("base64url", () => {
  it("is what Buffer writes and reads, for any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const text = Buffer.from(bytes).toString("base64url");
        assert.equal(encodeBase64url(bytes), text);
        assert.deepEqual(decodeBase64url(text), Uint8Array.from(bytes));
        assert.deepEqual(encodeBase64urlBytes(bytes), Uint8Array.from(Buffer.from(text)));
        assert.deepEqual(decodeBase64urlBytes(Buffer.from(text)), Uint8Array.from(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  it("stays right past the slice in which it encodes", () => {
    for (const length of [0x5fff, 0x6000, 0x6001, 0xc000, 200_001]) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
      const text = encodeBase64url(bytes);
      assert.equal(text, Buffer.from(bytes).toString("base64url"));
      assert.ok(Buffer.from(decodeBase64url(text) ?? "").equals(Buffer.from(bytes)));
    }
  });

  it("reads any text only if it is what would be written for the bytes", () => {
    const nearly = fc.string({
      unit: fc.constantFrom(...ALPHABET, "=", "+", "/", " ", "\n", "é", "\u{1f56f}", "ſ"),
    });
    fc.assert(
      fc.property(fc.oneof(nearly, fc.string({ unit: "binary" })), (text) => {
        const bytes = decodeBase64url(text);
        return bytes === undefined || encodeBase64url(bytes) === text;
      }),
      { numRuns: 5000 },
    );
  });

  it("refuses every last character with stray bits, and no other", () => {
    for (const [length, ok] of [
      [1, 0],
      [2, 4],
      [3, 16],
      [4, 64],
    ] as const) {
      const accepted = [...ALPHABET].filter((last) => decodeBase64url("A".repeat(length - 1) + last));
      const whole = [...ALPHABET].filter((_, value) => ok > 0 && value % (64 / ok) === 0);
      assert.deepEqual(accepted, whole, `${length} characters`);
    }
  });

  it("refuses every character outside its alphabet, at every place", () => {
    for (let code = 0; code < 0x300; code++) {
      const character = String.fromCharCode(code);
      if (ALPHABET.includes(character)) continue;
      for (const text of [`${character}AAA`, `AA${character}A`, `AAA${character}`]) {
        assert.equal(decodeBase64url(text), undefined, JSON.stringify(text));
      }
    }
  });

  it("refuses padding, white space and the standard alphabet", () => {
    for (const text of [
      "AA==",
      "AAA=",
      "=",
      "AAAA=",
      " AAAA",
      "AAAA ",
      "AA\nAA",
      "AAAA\n",
      "++++",
      "////",
      "A",
    ]) {
      assert.equal(decodeBase64url(text), undefined, JSON.stringify(text));
    }
  });
});
