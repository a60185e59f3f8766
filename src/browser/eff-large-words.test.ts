import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";

const words = readFileSync(new URL("./eff-large-words.txt", import.meta.url), "utf8")
  .trim()
  .split("\n");

/** Of https://www.eff.org/files/2016/07/18/eff_large_wordlist.txt, in which five dice name each word. */
const EFF_SHA256 = "addd35536511597a02fa0a9ff1e5284677b8883b83e986e43f15a3db996b903e";

/** "11111" for the first word, "66666" for the last. */
const dice = (index: number) =>
  index
    .toString(6)
    .padStart(5, "0")
    .replace(/./g, (digit) => String(Number(digit) + 1));

describe("EFF's large word list", () => {
  it("is the one that EFF published, to the byte, but for the dice in front of each word", () => {
    const published = words.map((word, i) => `${dice(i)}\t${word}\n`).join("");
    assert.equal(createHash("sha256").update(published).digest("hex"), EFF_SHA256);
  });

  it("holds 7,776 different words of 3 to 9 letters", () => {
    assert.equal(new Set(words).size, 7_776);
    assert.ok(words.every((word) => /^[a-z-]{3,9}$/.test(word)));
  });
});
