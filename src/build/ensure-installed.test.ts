import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";

// A project of its own in a temporary folder, whose one package is a local archive: real npm, no network.
let root: string;
let script: string;

before(() => {
  root = mkdtempSync(join(tmpdir(), "waxseal-install-"));
  mkdirSync(join(root, "src/build"), { recursive: true });
  script = join(root, "src/build/ensure-installed.mjs");
  cpSync(fileURLToPath(new URL("ensure-installed.mjs", import.meta.url)), script);
  writeProject("1.0.0");
});
after(() => rmSync(root, { recursive: true, force: true }));

function npm(cwd: string, ...args: string[]): void {
  execFileSync("npm", [...args, "--offline", "--silent"], { cwd, env: environment(), stdio: "ignore" });
}

function environment(extra: Record<string, string> = {}): NodeJS.ProcessEnv {
  const { npm_execpath, ...rest } = process.env;
  return { ...rest, npm_config_cache: join(root, "cache"), ...extra };
}

/** Writes package.json, lock file and the dependency's archive, made apart from what is installed. */
function writeProject(version: string): void {
  const draft = mkdtempSync(join(root, "draft-"));
  const dependency = join(draft, "dependency");
  mkdirSync(dependency);
  const postinstall = `node -e "require('fs').writeFileSync('${join(root, "script-ran")}', '')"`;
  writeJson(join(dependency, "package.json"), { name: "dependency", version, scripts: { postinstall } });
  npm(dependency, "pack", "--pack-destination", draft);
  writeJson(join(draft, "package.json"), {
    name: "project",
    version: "1.0.0",
    engines: { node: ">=20.19" },
    devDependencies: { dependency: `file:dependency-${version}.tgz` },
  });
  npm(draft, "install", "--package-lock-only");
  for (const file of ["package.json", "package-lock.json", `dependency-${version}.tgz`]) {
    cpSync(join(draft, file), join(root, file));
  }
}

function writeJson(path: string, value: unknown): void {
  writeFileSync(path, JSON.stringify(value));
}

function run(args: string[] = [], extra: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    env: environment(extra),
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

function installedVersion(): string {
  return JSON.parse(readFileSync(join(root, "node_modules/dependency/package.json"), "utf8")).version;
}

describe("ensure-installed", () => {
  it("installs the packages of a fresh clone, development ones too, and runs none of their scripts", () => {
    const { status, stdout, stderr } = run([], { NODE_ENV: "production" });
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^Installing npm packages …\nInstalled npm packages in \d+ s\.\n$/);
    assert.equal(installedVersion(), "1.0.0");
    assert.equal(existsSync(join(root, "script-ran")), false);
  });

  it("says nothing and needs neither npm nor a network when everything is there", () => {
    assert.deepEqual(run([], { PATH: "" }), { status: 0, stdout: "", stderr: "" });
  });

  it("installs again when the lock file has changed", () => {
    writeProject("1.0.1");
    assert.equal(run().status, 0);
    assert.equal(installedVersion(), "1.0.1");
  });

  it("installs again when a package's folder is gone", () => {
    rmSync(join(root, "node_modules/dependency"), { recursive: true });
    assert.equal(run().status, 0);
    assert.equal(installedVersion(), "1.0.1");
  });

  it("fails with npm's own message where the packages can't be had", () => {
    rmSync(join(root, "node_modules"), { recursive: true });
    rmSync(join(root, "cache"), { recursive: true, force: true });
    rmSync(join(root, "dependency-1.0.1.tgz"));
    const { status, stderr } = run();
    assert.equal(status, 1);
    assert.match(stderr, /dependency-1\.0\.1\.tgz.*npm ci failed/s);
    writeProject("1.0.1");
    assert.equal(run().status, 0);
  });

  it("fails with what to install where the tests' programs are missing and it may not install them", () => {
    const bin = join(root, "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "redis-server"), "#!/bin/sh\n");
    chmodSync(join(bin, "redis-server"), 0o755);
    const { status, stderr } = run(["--rigs"], { PATH: bin });
    assert.equal(status, 1);
    assert.match(stderr, /^Needed for the tests, but not on the PATH: Chromium and OpenSSL\./);
    assert.match(stderr, /apt-get install --no-install-recommends chromium openssl\n/);
  });

  it("says which Node it needs", () => {
    const file = join(root, "package.json");
    writeFileSync(file, readFileSync(file, "utf8").replace(">=20.19", ">=99.1"));
    const { status, stderr } = run();
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^Waxseal needs Node\.js 99\.1 or later; this is \d+\.\d+\.\d+\. Install a newer one/,
    );
  });
});
