import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createRandom } from "./random.ts";
import { kolmogorovSmirnov, mannWhitney, medianDifference } from "./statistics.ts";

const about = (actual: number, expected: number, by: number) =>
  assert.ok(Math.abs(actual - expected) <= by, `${actual} is not about ${expected}`);

describe("The statistics of the timing", () => {
  const random = createRandom(1);
  const noise = (shift: number) =>
    Float64Array.from({ length: 20_000 }, () => random.below(1_000_000) / 1_000_000 + shift);

  it("give what can be counted by hand", () => {
    const [one, other] = [Float64Array.of(1.1, 2.2, 3.3, 4.4, 5.5), Float64Array.of(2, 3, 4, 5, 6, 7, 8)];
    // Of 35 pairs 10 have the first longer: 7.5 from the mean, of a deviation of sqrt(35 / 12 * 13).
    const { p, superiority } = mannWhitney(one, other);
    about(p, 0.2232, 0.0001);
    about(superiority, 10 / 35, 1e-9);
    about(kolmogorovSmirnov(one, other).distance, 3 / 7, 1e-9);
  });

  it("tell nothing where there is nothing to tell", () => {
    const [one, other] = [noise(0), noise(0)];
    assert.ok(mannWhitney(one, other).p > 0.001);
    assert.ok(kolmogorovSmirnov(one, other).p > 0.001);
    about(mannWhitney(one, one).superiority, 0.5, 1e-9);
  });

  it("tell a shift of a fiftieth of the noise, and how large it is", () => {
    const [one, other] = [noise(0.02), noise(0)];
    assert.ok(mannWhitney(one, other).p < 0.001);
    assert.ok(kolmogorovSmirnov(one, other).p < 0.001);
    const { low, high } = medianDifference(one, other, random);
    assert.ok(low > 0 && low < 0.02 + 0.01 && high > 0.02 - 0.01);
  });
});
