import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { STORES } from "./stores.ts";

/** 1,000 attempts for each store. */
const PLAN = { secrets: 5, attempts: 50 };

describe("A thousand attempts that rules refuse", () => {
  for (const [store, run] of Object.entries(STORES)) {
    it(`use nothing up: every secret opens from an allowed place afterwards (${store})`, async (test) => {
      const outcomes = await run(PLAN);
      for (const { reason, ...counts } of outcomes) {
        test.diagnostic(`${reason}: ${JSON.stringify(counts)}`);
        assert.deepEqual(
          counts,
          { attempts: 250, refused: 250, noted: 5, usedUp: 0, secrets: 5, opened: 5 },
          reason,
        );
      }
      assert.equal(outcomes.length, 4);
    });
  }
});
