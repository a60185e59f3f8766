import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { allFaults } from "./all-faults.ts";
import { runFault } from "./run-fault.ts";

/** `npm run faults` does the same with a hundred secrets, and prints the table. */
const SHORT = { secrets: 9, episodes: "short" } as const;

describe("One reader, nothing acknowledged lost, and the others fail where they must", () => {
  for (const fault of allFaults) {
    it(`under this fault: ${fault.name}`, async (t) => {
      const outcomes = await runFault(fault, SHORT);
      for (const { algorithm, verdict } of outcomes) {
        t.diagnostic(`${algorithm}: ${verdict.readTwice.length} read twice, ${verdict.lost.length} lost`);
      }
      assert.deepEqual(
        outcomes.flatMap(({ failures }) => failures),
        [],
      );
    });
  }
});
