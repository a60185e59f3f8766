// Runs every test below src, or those below the paths given: `npm test -- src/config`. Options are
// handed on to node: `npm test -- --test-name-pattern=expires`. Node 20 takes no patterns after --test,
// and a shell's ** differs from shell to shell, so the files are listed here.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const options = process.argv.slice(2).filter((argument) => argument.startsWith("-"));
const chosen = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));

const wrong = chosen.find((path) => !existsSync(join(root, path)));
if (wrong !== undefined) fail(`There is no ${wrong}. Give folders or files below src.`);

const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .map((path) => join("src", path))
  .filter(
    (path) => path.endsWith(".test.ts") && (chosen.length === 0 || chosen.some((place) => isIn(path, place))),
  )
  .sort();
// A run without tests must not look like one without failures.
if (files.length === 0) fail("No test file was found.");

// One file at a time, on however many cores: several share one Docker engine, whose networks come and go
// under every browser on the machine. The reporter is named because Node 20 writes TAP into pipes.
const ours = ["--test", "--test-concurrency=1", "--test-reporter=spec", "--test-timeout=300000"];
const { status } = spawnSync(process.execPath, ["--import", "tsx", ...ours, ...options, ...files], {
  cwd: root,
  stdio: "inherit",
});
process.exit(status ?? 1);

function isIn(path, place) {
  const folder = normalize(place).replace(/[/\\]$/, "");
  return path === folder || path.startsWith(folder + sep);
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
