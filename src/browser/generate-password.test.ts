import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { seededRandom } from "../testing/seeded-random.ts";
import { characterSets, generatePassword, type PasswordRules, passwordBits } from "./generate-password.ts";

const anyRules = fc
  .record({
    length: fc.integer({ min: 12, max: 64 }),
    letters: fc.boolean(),
    digits: fc.boolean(),
    symbols: fc.boolean(),
    easy: fc.boolean(),
  })
  .filter(({ letters, digits, symbols }) => letters || digits || symbols);

const only = (rules: Partial<PasswordRules>): PasswordRules => ({
  length: 12,
  letters: false,
  digits: false,
  symbols: false,
  easy: false,
  ...rules,
});

/** The sum of squared deviations from `counts` being all the same, over what is expected. */
function chiSquareOf(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

describe("a generated password", () => {
  it("has the length, holds at least one of each chosen set, and nothing else", () => {
    fc.assert(
      fc.property(anyRules, fc.integer(), (rules, seed) => {
        const password = generatePassword(rules, seededRandom(seed));
        assert.equal(password.length, rules.length);
        const sets = characterSets(rules);
        for (const set of sets)
          assert.ok(
            [...password].some((character) => set.includes(character)),
            set,
          );
        assert.ok([...password].every((character) => sets.join("").includes(character)));
      }),
      { seed: 6 },
    );
  });

  it("has all of ASCII's letters, digits and symbols to draw from, each once", () => {
    const all = characterSets(only({ letters: true, digits: true, symbols: true })).join("");
    const printable = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i));
    assert.deepEqual([...all].sort(), printable.sort());
  });

  it("has nothing in it that is taken for something else, where it is to be easy to type", () => {
    const all = characterSets(only({ letters: true, digits: true, symbols: true, easy: true })).join("");
    for (const character of "0Oo1lI|`'\"") assert.ok(!all.includes(character), character);
    assert.ok(all.length >= 60, all);
  });

  it("has every character at every place about equally often", () => {
    const random = seededRandom(2);
    const rules = only({ letters: true, digits: true, symbols: true });
    const all = characterSets(rules).join("");
    // Each set has to be there, so that a digit, of ten, is likelier than a letter, of fifty-two: within
    // its set each is as likely as the others.
    const counts = new Map([...all].map((character) => [character, new Array<number>(12).fill(0)]));
    for (let i = 0; i < 20_000; i += 1) {
      [...generatePassword(rules, random)].forEach((character, place) => {
        const places = counts.get(character) ?? [];
        places[place] = (places[place] ?? 0) + 1;
      });
    }
    for (const set of characterSets(rules)) {
      const cells = [...set].flatMap((character) => counts.get(character) ?? []);
      const freedom = cells.length - 1;
      const chiSquare = chiSquareOf(cells);
      const spread = 4 * Math.sqrt(2 * freedom);
      assert.ok(Math.abs(chiSquare - freedom) < spread, `${set}: ${chiSquare} of ${freedom}`);
    }
  });

  it("is as likely as any other that fits the rules, where there are few enough to count", () => {
    // Out of "2…9" and three symbols, two characters long: what fits is one of each, in either order.
    const rules = only({ digits: true, symbols: true, easy: true, length: 2 });
    const [digits = "", symbols = ""] = characterSets(rules);
    const fitting = digits.length * symbols.length * 2;
    assert.ok(Math.abs(2 ** passwordBits(rules) - fitting) < 1e-6);
    const random = seededRandom(3);
    const counts = new Map<string, number>();
    for (let i = 0; i < fitting * 200; i += 1) {
      const password = generatePassword(rules, random);
      counts.set(password, (counts.get(password) ?? 0) + 1);
    }
    assert.equal(counts.size, fitting);
    const chiSquare = chiSquareOf([...counts.values()]);
    const freedom = fitting - 1;
    assert.ok(Math.abs(chiSquare - freedom) < 4 * Math.sqrt(2 * freedom), `${chiSquare} of ${freedom}`);
  });

  it("is refused where nothing can fit", () => {
    assert.throws(() => generatePassword(only({})), RangeError);
    assert.throws(() => generatePassword(only({ letters: true, digits: true, length: 2 })), RangeError);
  });
});

describe("the strength of a generated password", () => {
  it("is log2 of how many there are", () => {
    assert.ok(Math.abs(passwordBits(only({ digits: true, length: 20 })) - 20 * Math.log2(10)) < 1e-9);
    assert.ok(
      Math.abs(passwordBits(only({ letters: true, length: 2 })) - Math.log2(52 ** 2 - 2 * 26 ** 2)) < 1e-9,
    );
  });

  it("is never more than length and characters give, and more with every character", () => {
    fc.assert(
      fc.property(anyRules, (rules) => {
        const bits = passwordBits(rules);
        assert.ok(bits <= rules.length * Math.log2(characterSets(rules).join("").length) + 1e-9);
        assert.ok(bits < passwordBits({ ...rules, length: rules.length + 1 }));
      }),
      { seed: 6 },
    );
  });
});
