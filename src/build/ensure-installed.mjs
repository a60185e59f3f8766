// Runs before `npm start` and `npm test`, in plain Node, when no npm package may be there yet. Installs
// the npm packages if they are missing or differ from package-lock.json, and with --rigs also what the
// tests drive. Says nothing and needs no network when everything is there.
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** What tests need beyond npm packages: a program, or any of several, and where it comes from. */
const rigs = [
  { name: "Redis", programs: ["redis-server"], debian: ["redis-server"], brew: "redis" },
  { name: "Chromium", programs: ["chromium"], debian: ["chromium"], brew: "--cask chromium" },
  { name: "OpenSSL", programs: ["openssl"], debian: ["openssl"], brew: "openssl" },
];

checkNode();
if (!packagesAreInstalled()) installPackages();
if (process.argv.includes("--rigs")) ensureRigs();

function checkNode() {
  const wanted = readJson("package.json").engines.node.replace(">=", "");
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split(".").map(Number);
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return;
  fail(
    `Waxseal needs Node.js ${wanted} or later; this is ${process.versions.node}. Install a newer one from https://nodejs.org.`,
  );
}

/** Compares with npm's own record of what it put into node_modules, which npm writes last. */
function packagesAreInstalled() {
  const record = join("node_modules", ".package-lock.json");
  if (!existsSync(join(root, record))) return false;
  const wanted = readJson("package-lock.json").packages;
  let installed;
  try {
    installed = readJson(record).packages;
  } catch {
    return false;
  }
  const isInstalled = ([path, entry]) => {
    const found = installed[path];
    if (found === undefined) return entry.optional === true && !isForThisPlatform(entry);
    return (
      found.version === entry.version && found.integrity === entry.integrity && existsSync(join(root, path))
    );
  };
  return (
    Object.entries(wanted).every(([path, entry]) => path === "" || isInstalled([path, entry])) &&
    Object.keys(installed).every((path) => path in wanted)
  );
}

/** Whether npm would install this optional package here. Unsure (libc, exclusions) counts as no. */
function isForThisPlatform({ os, cpu, libc }) {
  if (libc !== undefined) return false;
  return (os?.includes(process.platform) ?? true) && (cpu?.includes(process.arch) ?? true);
}

function installPackages() {
  const started = Date.now();
  say("Installing npm packages …");
  const args = ["ci", "--ignore-scripts", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"];
  // Under `npm start` this names the very npm that runs; elsewhere the one on the path has to do.
  const npm = process.env.npm_execpath;
  const { status } = npm?.endsWith(".js")
    ? spawnSync(process.execPath, [npm, ...args], { cwd: root, stdio: ["ignore", "ignore", "inherit"] })
    : spawnSync("npm", args, {
        cwd: root,
        stdio: ["ignore", "ignore", "inherit"],
        shell: process.platform === "win32",
      });
  if (status !== 0) {
    fail(
      "npm ci failed; its message is above. It needs the npm registry once (see `npm config get registry`), then never again.",
    );
  }
  say(`Installed npm packages in ${seconds(started)}.`);
}

function ensureRigs() {
  let missing = missingRigs();
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name).join(" and ");
  const packages = missing.flatMap(({ debian }) => debian);
  const isDebian = existsSync("/etc/debian_version") && isOnPath("apt-get");
  if (isDebian && process.getuid?.() === 0) {
    say(`Installing ${packages.join(" and ")} for the tests …`);
    const started = Date.now();
    withoutServices(() => {
      // Its failure is not the end: one of several sources may be out of reach.
      apt("update", "-qq");
      const install = ["install", "-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"];
      apt(...install, ...packages);
    });
    missing = missingRigs();
    if (missing.length === 0) {
      say(`Installed ${packages.join(" and ")} in ${seconds(started)}.`);
      return;
    }
  }
  const commands = isDebian
    ? [`sudo apt-get install --no-install-recommends ${packages.join(" ")}`]
    : [
        `Debian, Ubuntu: sudo apt-get install --no-install-recommends ${packages.join(" ")}`,
        ...missing.map(({ brew }) => `macOS: brew install ${brew}`),
      ];
  fail(
    `Needed for the tests, but not on the PATH: ${names}. Install it, then run npm test again:\n  ${commands.join("\n  ")}`,
  );
}

function missingRigs() {
  return rigs.filter(({ programs }) => !programs.some(isOnPath));
}

function isOnPath(program) {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** The tests start their own Redis; Debian's package would start another on 6379 when installed. */
function withoutServices(install) {
  const policy = "/usr/sbin/policy-rc.d";
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    install();
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
}

function apt(...args) {
  spawnSync("apt-get", args, {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
}

function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), "utf8"));
}

function seconds(started) {
  return `${Math.round((Date.now() - started) / 1000)} s`;
}

function say(message) {
  process.stdout.write(`${message}\n`);
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
