import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createByteBudget } from "./byte-budget.ts";
import { Problem } from "./problem.ts";

describe("A byte budget", () => {
  it("lends no more than it has, and says when to come again", () => {
    const take = createByteBudget(100);
    take(60);
    take(40);
    assert.throws(
      () => take(1),
      (error) => {
        assert(error instanceof Problem);
        assert.equal(error.code, "unavailable");
        assert.deepEqual(error.headers, { "Retry-After": "5" });
        return true;
      },
    );
  });

  it("lends again what was given back, once however often it is given back", () => {
    const take = createByteBudget(100);
    const giveBack = take(60);
    take(40);
    giveBack();
    giveBack();
    take(60);
    assert.throws(() => take(1), Problem);
  });

  it("keeps nothing of what it refused", () => {
    const take = createByteBudget(100);
    assert.throws(() => take(101), Problem);
    take(100);
  });
});
