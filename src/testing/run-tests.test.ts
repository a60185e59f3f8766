import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
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

  it("ends a file that takes too long with the servers it has started", async () => {
    const waiting =
      'process.once("exit", () => console.log("tidied")); setInterval(() => {}, 1000); console.log("up")';
    const preload = new URL("last-resort.mjs", import.meta.url).href;
    const file = spawn(process.execPath, ["--import", preload, "--eval", waiting]);
    let said = "";
    file.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (said === "up\n") file.kill("SIGTERM");
    });
    assert.deepEqual(await once(file, "close"), [143, null]);
    assert.equal(said, "up\ntidied\n");
  });
});
