/**
 * One of the three comparisons of an innocent server's sample falls below this by chance once in a thousand
 * samples: once in five hundred runs, which take a sample on each of two stores.
 */
export const SIGNIFICANT = 0.001 / 3;
/** So many times as large is the sample that decides. */
export const LARGER = 4;

/** How long each of many answers of one kind took, in milliseconds. */
export interface Sample {
  readonly name: string;
  readonly times: readonly number[];
}

/** The samples of two kinds, and what they are called together. */
export interface Pair {
  readonly name: string;
  readonly one: readonly number[];
  readonly other: readonly number[];
}

export interface Judged {
  readonly name: string;
  /** That they differ. */
  readonly told: boolean;
  /** Whether the first sample left a suspicion, so that a second one has decided. */
  readonly suspected: boolean;
}

function pairsOf(samples: readonly Sample[]): Pair[] {
  return samples.flatMap((one, i) =>
    samples
      .slice(i + 1)
      .map((other) => ({ name: `${one.name}, ${other.name}`, one: one.times, other: other.times })),
  );
}

/**
 * Which kinds can be told apart. What the first sample tells is a suspicion, since it may be chance: for
 * those pairs a second sample decides alone. It is independent of the first, so that chance passes for a
 * difference in less than one run of a million; and it is larger, so that a difference which is there, and
 * was seen once, is seen again all the more. `draw` takes a sample of so many times the usual size of each
 * kind; `compare` gives the probability that a pair differs as much by chance.
 */
export async function tellApart(
  draw: (size: number) => Promise<readonly Sample[]>,
  compare: (pair: Pair, size: number) => number,
): Promise<Judged[]> {
  const pairs = pairsOf(await draw(1));
  const suspects = new Set(pairs.filter((pair) => compare(pair, 1) < SIGNIFICANT).map(({ name }) => name));
  const second = suspects.size === 0 ? [] : pairsOf(await draw(LARGER));
  const told = new Set(
    second
      .filter((pair) => suspects.has(pair.name) && compare(pair, LARGER) < SIGNIFICANT)
      .map(({ name }) => name),
  );
  return pairs.map(({ name }) => ({ name, told: told.has(name), suspected: suspects.has(name) }));
}
