import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seededRandom } from "../testing/seeded-random.ts";
import { randomBelow } from "./random-below.ts";

/** A source that gives these numbers, one after the other. */
function given(...numbers: number[]) {
  return (into: Uint32Array<ArrayBuffer>) => {
    const next = numbers.shift();
    assert.ok(next !== undefined, "more was drawn than there is");
    into[0] = next;
  };
}

describe("randomBelow", () => {
  it("draws again above the last whole multiple, which a remainder alone would make likelier", () => {
    // 2^32 = 552,336 × 7,776 + 2,560
    const end = 552_336 * 7_776;
    assert.equal(randomBelow(7_776, given(end, 2 ** 32 - 1, end - 1)), 7_775);
    assert.equal(randomBelow(7_776, given(end + 2_559, 0)), 0);
    assert.equal(randomBelow(7_776, given(7_776)), 0);
  });

  it("takes every number where the count divides 2^32", () => {
    assert.equal(randomBelow(2 ** 32, given(2 ** 32 - 1)), 2 ** 32 - 1);
    assert.equal(randomBelow(1, given(2 ** 32 - 1)), 0);
    assert.equal(randomBelow(256, given(2 ** 32 - 1)), 255);
  });

  it("refuses a count that it can't keep", () => {
    for (const count of [0, -1, 1.5, 2 ** 32 + 1, Number.NaN]) {
      assert.throws(() => randomBelow(count, given(0)), RangeError);
    }
  });

  it("gives every number about equally often", () => {
    const random = seededRandom(1);
    const counts = new Array<number>(94).fill(0);
    const draws = 94_000;
    for (let i = 0; i < draws; i += 1) {
      const drawn = randomBelow(94, random);
      counts[drawn] = (counts[drawn] ?? 0) + 1;
    }
    const expected = draws / counts.length;
    const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 93 degrees of freedom: between these in 99.9 % of all cases.
    assert.ok(chiSquare > 55 && chiSquare < 144, `chi-square ${chiSquare}`);
  });
});
