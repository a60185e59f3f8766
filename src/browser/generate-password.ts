import { drawFrom, systemRandom } from "./random-below.ts";

export interface PasswordRules {
  /** Characters. */
  readonly length: number;
  /** Capital and small ones, at least one of each. */
  readonly letters: boolean;
  readonly digits: boolean;
  readonly symbols: boolean;
  /** Without characters that are taken for others, or that many keyboards hide. */
  readonly easy: boolean;
}

const CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const SMALL = "abcdefghijklmnopqrstuvwxyz";
const DIGITS = "0123456789";
/** All of ASCII's. */
const SYMBOLS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
/** Taken for one another, dead on some keyboards (´ ^ ~), or behind AltGr. */
const HARD = "0Oo1lI\"'`´^~|\\[]{}<>,.;:_$";

/** The sets that each have to be there once; none where nothing was chosen. */
export function characterSets({ letters, digits, symbols, easy }: PasswordRules): string[] {
  const sets = [
    ...(letters ? [CAPITALS, SMALL] : []),
    ...(digits ? [DIGITS] : []),
    ...(symbols ? [SYMBOLS] : []),
  ];
  return easy ? sets.map((set) => [...set].filter((character) => !HARD.includes(character)).join("")) : sets;
}

/**
 * All of it is drawn again until each set is there: every password that fits stays as likely as any
 * other. To put a missing digit into a drawn one would make some likelier.
 */
export function generatePassword(rules: PasswordRules, random = systemRandom): string {
  const sets = characterSets(rules);
  if (sets.length === 0 || rules.length < sets.length) throw new RangeError("No password fits these rules.");
  for (;;) {
    const drawn = drawFrom(sets.join(""), rules.length, random);
    if (sets.every((set) => drawn.some((character) => set.includes(character)))) return drawn.join("");
  }
}

/** log2 of how many passwords fit: all, less those that lack one set, plus those that lack two, and so on. */
export function passwordBits(rules: PasswordRules): number {
  const sets = characterSets(rules).map((set) => set.length);
  const all = sets.reduce((sum, size) => sum + size, 0);
  let count = 0;
  for (let lacking = 0; lacking < 2 ** sets.length; lacking += 1) {
    const lacked = sets.filter((_, i) => lacking & (1 << i));
    const left = all - lacked.reduce((sum, size) => sum + size, 0);
    count += (lacked.length % 2 === 0 ? 1 : -1) * left ** rules.length;
  }
  return Math.log2(count);
}
