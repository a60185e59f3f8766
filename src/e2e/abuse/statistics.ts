import type { Random } from "./random.ts";

/** The upper tail of the normal distribution (Numerical Recipes, erfcc: relative error below 1.2e-7). */
function upperTail(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + x / 2);
  const series =
    -1.26551223 +
    t *
      (1.00002368 +
        t *
          (0.37409196 +
            t *
              (0.09678418 +
                t *
                  (-0.18628806 +
                    t *
                      (0.27886807 +
                        t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277))))))));
  const half = (t * Math.exp(-x * x + series)) / 2;
  return z >= 0 ? half : 1 - half;
}

/** Mann–Whitney U by its normal approximation, corrected for ties. */
export function mannWhitney(one: Float64Array, other: Float64Array): { p: number; superiority: number } {
  const [n, m] = [one.length, other.length];
  const all = [
    ...Array.from(one, (value) => ({ value, one: true })),
    ...Array.from(other, (value) => ({ value, one: false })),
  ];
  all.sort((a, b) => a.value - b.value);
  let ranks = 0;
  let ties = 0;
  for (let from = 0; from < all.length; ) {
    let to = from;
    while (to < all.length && all[to]?.value === all[from]?.value) to++;
    const rank = (from + to + 1) / 2;
    for (let i = from; i < to; i++) if (all[i]?.one) ranks += rank;
    ties += (to - from) ** 3 - (to - from);
    from = to;
  }
  const u = ranks - (n * (n + 1)) / 2;
  const total = n + m;
  const deviation = Math.sqrt(((n * m) / 12) * (total + 1 - ties / (total * (total - 1))));
  const p = 2 * upperTail(Math.abs(u - (n * m) / 2) / deviation);
  // How often a time of the first kind is longer than one of the second; a half where nothing can be told.
  return { p: Math.min(1, p), superiority: u / (n * m) };
}

/** The greatest distance between the two distributions (Kolmogorov–Smirnov), with its probability. */
export function kolmogorovSmirnov(one: Float64Array, other: Float64Array): { p: number; distance: number } {
  const [a, b] = [one.toSorted(), other.toSorted()];
  let distance = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const value = Math.min(a[i] ?? 0, b[j] ?? 0);
    while (i < a.length && a[i] === value) i++;
    while (j < b.length && b[j] === value) j++;
    distance = Math.max(distance, Math.abs(i / a.length - j / b.length));
  }
  const size = Math.sqrt((a.length * b.length) / (a.length + b.length));
  const lambda = (size + 0.12 + 0.11 / size) * distance;
  let p = 0;
  for (let k = 1; k <= 100; k++) p += 2 * (-1) ** (k - 1) * Math.exp(-2 * k * k * lambda * lambda);
  return { p: lambda < 0.2 ? 1 : Math.min(1, Math.max(0, p)), distance };
}

function normal(random: Random): number {
  const uniform = () => (random.below(2 ** 31) + 1) / 2 ** 31;
  return Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

/**
 * The difference of the medians and its 95 % interval, by bootstrap. The median of a resample of n
 * sorted values is the one at rank Beta(n/2, n/2), so that rank is drawn instead of n values.
 */
export function medianDifference(one: Float64Array, other: Float64Array, random: Random, resamples = 4000) {
  const medianOf = (values: Float64Array) => {
    const sorted = values.toSorted();
    return (rank: number) => {
      const at = Math.floor(sorted.length * (0.5 + rank / (2 * Math.sqrt(sorted.length))));
      return sorted[Math.min(sorted.length - 1, Math.max(0, at))] ?? Number.NaN;
    };
  };
  const [first, second] = [medianOf(one), medianOf(other)];
  const drawn = Float64Array.from(
    { length: resamples },
    () => first(normal(random)) - second(normal(random)),
  );
  drawn.sort();
  const at = (part: number) => drawn[Math.floor(resamples * part)] ?? Number.NaN;
  return { difference: first(0) - second(0), low: at(0.025), high: at(0.975) };
}
