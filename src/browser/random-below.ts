/** Fills it with random bits. A test may hand over one of its own. */
export type RandomSource = (into: Uint32Array<ArrayBuffer>) => void;

export const systemRandom: RandomSource = (into) => {
  crypto.getRandomValues(into);
};

/**
 * A whole number from 0 to `count` - 1, each as likely as any other. The numbers above the last whole
 * multiple of `count` are drawn again: a mere remainder would make the first few likelier (modulo bias).
 */
export function randomBelow(count: number, random: RandomSource): number {
  if (!Number.isInteger(count) || count < 1 || count > 2 ** 32)
    throw new RangeError("It takes a whole number from 1 to 2^32.");
  const end = 2 ** 32 - (2 ** 32 % count);
  const drawn = new Uint32Array(1);
  for (;;) {
    random(drawn);
    const [value = 0] = drawn;
    drawn.fill(0);
    if (value < end) return value % count;
  }
}

/** `length` of the choices, each drawn by itself. */
export function drawFrom<T>(choices: ArrayLike<T>, length: number, random: RandomSource): T[] {
  return Array.from({ length }, () => choices[randomBelow(choices.length, random)] as T);
}
