import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

function runTests(...args: string[]) {
  const script = fileURLToPath(new URL("run-tests.mjs", import.meta.url));
  return spawnSync(process.execPath, [script, ...args], { encoding: "utf8" });
}

describe("run-tests", () => {
  it("fails where a path does not exist, rather than testing nothing", () => {
    const { status, stderr } = runTests("src/config", "src/misspelt");
    assert.equal(status, 1);
    assert.match(stderr, /There is no src\/misspelt/);
  });

  it("fails where there is no test, rather than passing", () => {
    const { status, stderr } = runTests("src/config/units.ts");
    assert.equal(status, 1);
    assert.match(stderr, /No test file was found/);
  });
});
