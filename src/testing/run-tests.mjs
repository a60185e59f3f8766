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

// Files side by side, two of them, since most wait for their own Redis or browser most of the time. First
// those with a browser: the networks of the Docker engine, which its tests share, come and go under every
// one. Those tests come next, one by one, beside all that has no browser. What measures or presses the
// server hard has the machine to itself in the end. Meanwhile the Kubernetes tools are built, where they
// aren't yet, with what the tests leave of the machine. The reporter is named because Node 20 writes TAP
// into pipes.
const ours = ["--test", "--test-reporter=spec", "--test-timeout=300000"];
const isOneOf = (places) => (path) => places.some((place) => isIn(path, join("src/e2e", place)));
const isLast = isOneOf(["abuse", "forensics", "large-secrets.test.ts"]);
const isDocker = isOneOf(["appliance.test.ts", "docker"]);
const isKubernetes = isOneOf(["chart.test.ts", "kubernetes"]);
const hasBrowser = (path) =>
  path.endsWith("chromium.test.ts") ||
  (isIn(path, "src/e2e") && ![isLast, isDocker, isKubernetes, isOneOf(["faults"])].some((is) => is(path)));

const browsers = files.filter(hasBrowser);
const last = files.filter(isLast);
const docker = files.filter(isDocker);
const others = files.filter((path) => ![browsers, last, docker].some((group) => group.includes(path)));

const running = new Set();
let stopped = false;
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    stopped = true;
    for (const { pid } of running) end(pid, signal);
  });
}

const tools = files.some(isKubernetes) ? installTools() : undefined;
const statuses = [await run(browsers, 2)];
if (tools !== undefined && (await tools) !== 0) fail("The Kubernetes tools could not be built.");
const beside = docker.length > 0;
statuses.push(...(await Promise.all([run(docker, 1), run(others, beside ? 1 : 2, beside)])));
statuses.push(await run(last, 1));
process.exit(statuses.find((status) => status !== 0) ?? 0);

/**
 * In a process group of its own, which ends with it: a file that was ended for taking too long leaves its
 * servers running, and whoever reads what this prints would wait for them too. What `isBeside` another run
 * is printed at its end, not between the other's lines.
 */
function run(paths, atOnce, isBeside = false) {
  if (paths.length === 0 || stopped) return stopped ? 1 : 0;
  const concurrency = `--test-concurrency=${atOnce}`;
  const args = ["--import", "tsx", ...ours, concurrency, ...options, ...paths];
  const stdio = ["inherit", isBeside ? "pipe" : "inherit", "inherit"];
  const child = spawn(process.execPath, args, { cwd: root, stdio, detached: true });
  running.add(child);
  const said = [];
  child.stdout?.on("data", (bytes) => said.push(bytes));
  return new Promise((resolve) => {
    child.once("error", () => resolve(1));
    child.once("exit", () => end(child.pid, "SIGKILL"));
    child.once("close", (code) => {
      running.delete(child);
      process.stdout.write(Buffer.concat(said));
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
