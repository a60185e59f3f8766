import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Eta } from "eta";
import fc from "fast-check";
import { escapeBytes } from "./page-bytes.ts";

describe("escapeBytes", () => {
  it("writes any text as the templates would", () => {
    const eta = new Eta();
    const text = fc.string({ unit: fc.oneof(fc.constantFrom(..."&<>\"'"), fc.string({ unit: "grapheme" })) });
    fc.assert(
      fc.property(text, (written) => {
        const expected = eta.renderString("<%= it.written %>", { written });
        assert.equal(Buffer.from(escapeBytes(Buffer.from(written))).toString(), expected);
      }),
    );
  });
});
