import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { linesOf } from "./lines.ts";
import { runRig } from "./rig.ts";
import { faultsOf } from "./tally.ts";

describe("Three replicas of which one is killed", () => {
  it("tell of every end, each with one key, and of nothing that did not happen", async (test) => {
    const outcome = await runRig({ secrets: 60, pace: 20, hurry: true });
    for (const line of linesOf(outcome)) test.diagnostic(line);
    assert.deepEqual(faultsOf(outcome), []);
    assert.equal(outcome.events, 60);
  });
});
