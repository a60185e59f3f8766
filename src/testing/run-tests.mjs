// Runs every test below src, or those below the paths given: `npm test -- src/config`. Options are
// handed on to node: `npm test -- --test-name-pattern=expires`. Node 20 takes no patterns after --test,
// and a shell's ** differs from shell to shell, so the files are listed here.
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join, normalize, sep } from "node:path";
import { createInterface } from "node:readline";
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
// the systems with a browser: the networks of the Docker engine, which its tests share, come and go under
// every one. Those tests come next, one by one, beside all that has no browser: they wait even more. What
// measures or presses the server hard has the machine to itself in the end. Meanwhile the Kubernetes tools
// are built, where they aren't yet, with what the tests leave of the machine. The reporter is named because
// Node 20 writes TAP into pipes.
const ours = ["--test", "--test-reporter=spec", "--test-timeout=480000"];
const preloaded = ["tsx", new URL("last-resort.mjs", import.meta.url).href].flatMap((it) => ["--import", it]);
/** Milliseconds, several times what all of it takes: what hangs in spite of everything is not waited for. */
const LONGEST = 60 * 60_000;
const GROUPS = {
  alone: ["abuse", "forensics", "large-secrets.test.ts", "rolling-update.test.ts"],
  docker: ["appliance.test.ts", "docker"],
  kubernetes: ["chart.test.ts", "kubernetes"],
  // Without a browser: beside those of Docker.
  rest: ["faults", "compose-redis.test.ts", "redis-topologies.test.ts"],
};

function groupOf(path) {
  const found = Object.entries(GROUPS).find(([, places]) =>
    places.some((place) => isIn(path, join("src/e2e", place))),
  );
  if (found !== undefined) return found[0];
  return isIn(path, "src/e2e") || path.endsWith("chromium.test.ts") ? "browser" : "rest";
}

const grouped = (group) => files.filter((path) => groupOf(path) === group);
const running = new Set();
let stopped = false;
function stop(signal) {
  stopped = true;
  for (const { pid } of running) end(pid, signal);
}
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, stop);
setTimeout(() => {
  process.stderr.write(`Ended what has not come to an end in ${LONGEST / 60_000} minutes.\n`);
  stop("SIGKILL");
}, LONGEST).unref();

const failed = [];
const tools =
  grouped("kubernetes").length > 0
    ? install("src/e2e/kubernetes/install.ts", ["nice", "-n", "19"])
    : undefined;
await test("browser", 2);
await Promise.all([inDocker("docker: "), withoutBrowser()]);
await test("alone", 1);
if (failed.length > 0) fail(`Failed: ${failed.join(", ")}. What failed is above, under "failing tests".`);
process.exit(0);

async function inDocker(prefix) {
  if (grouped("docker").length > 0 && (await install("src/e2e/docker/install.ts", [], prefix)) !== 0)
    failed.push("the Docker images, which could not be built");
  else await test("docker", 1, prefix);
}

async function withoutBrowser() {
  await test("rest", 2);
  if (tools !== undefined && (await tools) !== 0)
    failed.push("the Kubernetes tools, which could not be built");
  else await test("kubernetes", 1);
}

async function test(group, atOnce, prefix) {
  const paths = grouped(group);
  if (paths.length === 0) return;
  const args = [...preloaded, ...ours, `--test-concurrency=${atOnce}`, ...options, ...paths];
  if ((await run(process.execPath, args, prefix)) !== 0) failed.push(group);
}

/**
 * In a process group of its own, which ends with it: a file that was ended for taking too long leaves its
 * servers running, and whoever reads what this prints would wait for them too. With a prefix, the lines
 * can be told from those of another that runs at the same time.
 */
async function run(program, args, prefix) {
  if (stopped) return 1;
  const stdio = ["ignore", prefix === undefined ? "inherit" : "pipe", "inherit"];
  const child = spawn(program, args, { cwd: root, stdio, detached: true });
  running.add(child);
  if (child.stdout) {
    const lines = createInterface({ input: child.stdout });
    lines.on("line", (line) => process.stdout.write(`${prefix}${line}\n`));
  }
  return new Promise((resolve) => {
    child.once("error", () => resolve(1));
    child.once("exit", () => end(child.pid, "SIGKILL"));
    child.once("close", (code) => {
      running.delete(child);
      resolve(code ?? 1);
    });
  });
}

function end(group, signal) {
  try {
    process.kill(-group, signal);
  } catch {} // Nothing of it is left.
}

/** What takes longer than a test file may, once for all of them; seconds where it is there already. */
function install(script, by, prefix) {
  const [program, ...args] = [...by, process.execPath, ...preloaded, script];
  return run(program, args, prefix);
}

function isIn(path, place) {
  const folder = normalize(place).replace(/[/\\]$/, "");
  return path === folder || path.startsWith(folder + sep);
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
