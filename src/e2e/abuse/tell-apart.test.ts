import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createRandom } from "./random.ts";
import { mannWhitney } from "./statistics.ts";
import { LARGER, type Pair, type Sample, tellApart } from "./tell-apart.ts";

const COUNT = 1500;

describe("Telling kinds of answers apart by their times", () => {
  const random = createRandom(1);
  const times = (count: number, shift = 0) =>
    Array.from({ length: count }, () => random.below(1_000_000) / 1_000_000 + shift);
  const compare = ({ one, other }: Pair) => mannWhitney(Float64Array.from(one), Float64Array.from(other)).p;

  /** `shift`: by how much longer the second of three kinds takes in a sample of this size. */
  async function judge(shift: (size: number) => number) {
    const sizes: number[] = [];
    const compared: string[] = [];
    const draw = async (size: number): Promise<Sample[]> => {
      sizes.push(size);
      return ["a", "b", "c"].map((name) => ({
        name,
        times: times(COUNT * size, name === "b" ? shift(size) : 0),
      }));
    };
    const judged = await tellApart(draw, (pair, size) => {
      if (size > 1) compared.push(pair.name);
      return compare(pair);
    });
    const told = judged.filter((pair) => pair.told).map(({ name }) => name);
    return { sizes, compared, told, suspected: judged.filter(({ suspected }) => suspected).length };
  }

  it("takes one sample where that tells nothing", async () => {
    assert.deepEqual(await judge(() => 0), { sizes: [1], compared: [], told: [], suspected: 0 });
  });

  it("tells a difference that is there, by a second sample of those that were suspected", async () => {
    const pairs = ["a, b", "b, c"];
    const expected = { sizes: [1, LARGER], compared: pairs, told: pairs, suspected: 2 };
    assert.deepEqual(await judge(() => 0.1), expected);
  });

  it("tells none that the second sample knows nothing of", async () => {
    const { sizes, told, suspected } = await judge((size) => (size === 1 ? 0.1 : 0));
    assert.deepEqual({ sizes, told, suspected }, { sizes: [1, LARGER], told: [], suspected: 2 });
  });
});
