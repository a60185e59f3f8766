import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createReport } from "./report.ts";
import { runSections, SECTIONS, SHORT } from "./sections.ts";

/** Another one each day that it runs; the output of a failure has it. */
const seed = Math.floor(Date.now() / 86_400_000);

describe("A server that is abused", () => {
  for (const [name, { about }] of Object.entries(SECTIONS)) {
    it(`keeps every rule, and writes nothing down: ${about}`, { timeout: 280_000 }, async (test) => {
      const broken = await runSections(
        [name],
        SHORT,
        seed,
        createReport((line) => test.diagnostic(line)),
      );
      assert.deepEqual(broken, []);
    });
  }
});

describe("A rule that is broken", () => {
  it("is told at the end", () => {
    const report = createReport(() => {});
    report.rule(true, "this holds");
    report.rule(false, "this does not");
    assert.deepEqual(report.broken(), ["this does not"]);
  });
});
