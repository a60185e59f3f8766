import list from "./eff-large-words.txt";
import { drawFrom, systemRandom } from "./random-below.ts";

const words = list.trim().split("\n");
export const wordCount = words.length;

/** How much a guesser has to go through who knows how it was made: log2 of the number of possibilities. */
export const passphraseBits = (count: number) => count * Math.log2(words.length);

/**
 * `count` words from EFF's large word list (Electronic Frontier Foundation, 2016, CC BY 3.0 US;
 * https://www.eff.org/dice), with spaces between: a few words of the list have a hyphen in them.
 */
export function suggestPassphrase(count: number, random = systemRandom): string {
  return drawFrom(words, count, random).join(" ");
}
