/**
 * 32-bit numbers that are the same for the same seed: xoshiro128** (Blackman and Vigna, 2018), seeded
 * by splitmix32. For tests, which have to come out the same each time; it keeps no secret.
 */
export function seededRandom(seed: number): (into: Uint32Array<ArrayBuffer>) => void {
  let state = seed >>> 0;
  const split = () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  let [a, b, c, d] = [split(), split(), split(), split()];
  const rotate = (value: number, by: number) => (value << by) | (value >>> (32 - by));
  return (into) => {
    for (let i = 0; i < into.length; i += 1) {
      into[i] = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
      const shifted = b << 9;
      c ^= a;
      d ^= b;
      b ^= c;
      a ^= d;
      c ^= shifted;
      d = rotate(d, 11);
    }
  };
}
