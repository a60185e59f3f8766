// Runs every test below src, or those below the paths given: `npm test -- src/config`. Options are
// handed on to node: `npm test -- --test-name-pattern=expires`. Node 20 takes no patterns after --test,
// and a shell's ** differs from shell to shell, so the files are listed here.
import { spawn } from "node:child_process";
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

// Files side by side, two of them, since most wait for their own Redis or browser most of the time. Those
// that need the machine to themselves come last, one by one: some share one Docker engine, whose networks
// come and go under every browser, the others measure or press the server hard. Meanwhile the Kubernetes
// tools are built, where they aren't yet, with what the tests leave of the machine. The reporter is named
// because Node 20 writes TAP into pipes.
const ours = ["--test", "--test-reporter=spec", "--test-timeout=300000"];
const ALONE = ["abuse", "appliance.test.ts", "docker", "faults", "forensics", "large-secrets.test.ts"];
const KUBERNETES = ["chart.test.ts", "kubernetes"];
const isOneOf = (places) => (path) => places.some((place) => isIn(path, join("src/e2e", place)));
const isLast = isOneOf([...ALONE, ...KUBERNETES]);
const needTools = files.some(isOneOf(KUBERNETES));
const tools = needTools ? installTools() : undefined;

let status = await run(
  files.filter((path) => !isLast(path)),
  2,
);
if (tools !== undefined && (await tools) !== 0) fail("The Kubernetes tools could not be built.");
status = (await run(files.filter(isLast), 1)) || status;
process.exit(status);

/**
 * In a process group of its own, which ends with it: a file that was ended for taking too long leaves its
 * servers running, and whoever reads what this prints would wait for them too.
 */
function run(paths, atOnce) {
  if (paths.length === 0) return 0;
  const concurrency = `--test-concurrency=${atOnce}`;
  const args = ["--import", "tsx", ...ours, concurrency, ...options, ...paths];
  const child = spawn(process.execPath, args, { cwd: root, stdio: "inherit", detached: true });
  const tell = (signal) => end(child.pid, signal);
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, tell);
  return new Promise((resolve) => {
    child.once("error", () => resolve(1));
    child.once("exit", (code) => {
      for (const signal of ["SIGINT", "SIGTERM"]) process.off(signal, tell);
      end(child.pid, "SIGKILL");
      resolve(code ?? 1);
    });
  });
}

function end(group, signal) {
  try {
    process.kill(-group, signal);
  } catch {} // Nothing of it is left.
}

function installTools() {
  const args = ["-n", "19", process.execPath, "--import", "tsx", "src/e2e/kubernetes/install.ts"];
  const child = spawn("nice", args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  return new Promise((resolve) => {
    child.once("error", () => resolve(1));
    child.once("exit", (code) => resolve(code ?? 1));
  });
}

function isIn(path, place) {
  const folder = normalize(place).replace(/[/\\]$/, "");
  return path === folder || path.startsWith(folder + sep);
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
