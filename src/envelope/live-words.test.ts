import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { endingWords, triesWords } from "./live-words.ts";

describe("the words for a secret that has not ended", () => {
  it("say of an upload that it is given up, and of all else that it is deleted", () => {
    assert.equal(endingWords("uploading"), "Unless more of it arrives, it is given up");
    for (const state of ["sealed", "locked"]) assert.equal(endingWords(state), "It is deleted");
  });

  it("count the tries for a passphrase, and say nothing where there is none", () => {
    assert.deepEqual([undefined, 0, 1, 2].map(triesWords), [
      "",
      " 0 passphrase tries left.",
      " 1 passphrase try left.",
      " 2 passphrase tries left.",
    ]);
  });
});
