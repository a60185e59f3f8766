// The programs that a check of the chart needs. What is missing is installed into a cache folder
// outside the repository: helm, kubeconform and kube-apiserver from their Go modules, etcd and promtool
// from Debian. What cannot be installed fails with what to install; nothing is skipped.

import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { attempt, run } from "./run.ts";
import { helmVersion, kubeconformVersion, newest } from "./versions.ts";

export interface Tools {
  readonly helm: string;
  readonly kubeconform: string;
  readonly etcd: string;
  readonly kubeApiserver: string;
  readonly promtool: string;
}

export class MissingToolError extends Error {
  override readonly name = "MissingToolError";
  readonly code = "missing-tool";
}

export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "waxseal", "kubernetes");
}

export async function ensureTools(log: (line: string) => void = () => {}): Promise<Tools> {
  return {
    helm: await ensure(`helm-${helmVersion}`, "helm", log, buildHelm),
    kubeconform: await ensure(`kubeconform-${kubeconformVersion}`, "kubeconform", log, buildKubeconform),
    kubeApiserver: await ensure(`kube-apiserver-${newest.version}`, "kube-apiserver", log, buildApiserver),
    etcd: (await onPath("etcd")) ?? (await ensure("etcd", "usr/bin/etcd", log, unpack("etcd-server"))),
    promtool:
      (await onPath("promtool")) ??
      (await ensure("prometheus", "usr/bin/promtool", log, unpack("prometheus"))),
  };
}

/**
 * The path of something in the cache, made first where it is missing: into a folder beside it that
 * takes the name only when it is complete, so that an interrupted build leaves nothing half-made.
 */
export async function ensure(
  name: string,
  file: string,
  log: (line: string) => void,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(cacheFolder(), name);
  const wanted = join(folder, file);
  if (existsSync(wanted)) return wanted;
  // A compiler takes longer than a test may, and every test file would start one.
  if (process.env.NODE_TEST_CONTEXT !== undefined) {
    throw new MissingToolError(`${name} is missing. Run: npx tsx src/e2e/kubernetes/install.ts`);
  }
  await mkdir(cacheFolder(), { recursive: true });
  const unfinished = await mkdtemp(join(cacheFolder(), `.${name}-`));
  try {
    log(`${name}: being made`);
    const started = Date.now();
    await make(unfinished);
    // Another run may have been faster; its result is as good.
    await rename(unfinished, folder).catch((error: unknown) => {
      if (!existsSync(wanted)) throw error;
    });
    log(`${name}: ready after ${Math.round((Date.now() - started) / 1000)} s`);
    return wanted;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** The folder of a Go module's files. Read-only, in Go's own cache. */
export async function goModule(path: string, version: string): Promise<string> {
  await requireGo(path);
  const said = await attempt("go", ["mod", "download", "-json", `${path}@${version}`], goOptions());
  const { Dir: folder, Error: error } = JSON.parse(said.stdout || "{}") as { Dir?: string; Error?: string };
  if (folder === undefined)
    throw new MissingToolError(`Go module ${path}@${version}: ${error ?? said.stderr}`);
  return folder;
}

async function buildHelm(folder: string): Promise<void> {
  const module = "helm.sh/helm/v3";
  const [major = "", minor = ""] = newest.minor.split(".");
  // Without these, helm built from source takes itself for one of Kubernetes 1.20.
  const cluster = ["chartutil", "lint/rules"].flatMap((where) => [
    `-X ${module}/pkg/${where}.k8sVersionMajor=${major}`,
    `-X ${module}/pkg/${where}.k8sVersionMinor=${minor}`,
  ]);
  await goInstall(`${module}/cmd/helm@${helmVersion}`, folder, [
    `-X ${module}/internal/version.version=${helmVersion}`,
    ...cluster,
  ]);
}

async function buildKubeconform(folder: string): Promise<void> {
  await goInstall(`github.com/yannh/kubeconform/cmd/kubeconform@${kubeconformVersion}`, folder, []);
}

async function goInstall(what: string, folder: string, flags: readonly string[]): Promise<void> {
  await requireGo(what);
  const { env } = goOptions();
  await run("go", ["install", "-trimpath", `-ldflags=-s -w ${flags.join(" ")}`, what], {
    env: { ...env, GOBIN: folder },
  });
}

/**
 * kube-apiserver cannot be had with `go install`: its go.mod replaces the k8s.io modules by folders
 * of its own repository. They are published too, as v0.x of the same number, so a module of our own
 * that names those builds it.
 */
async function buildApiserver(folder: string): Promise<void> {
  const source = await goModule("k8s.io/kubernetes", newest.version);
  const staging = newest.version.replace(/^v1\./, "v0.");
  const theirs = await readFile(join(source, "go.mod"), "utf8");
  const ours = theirs
    .replace(/^module .*$/m, "module waxseal.invalid/kube-apiserver")
    .replace(/^replace \([\s\S]*?^\)$/gm, "")
    .replace(/^replace .*$/gm, "")
    .replace(/^(\s*k8s\.io\/\S+) v0\.0\.0( |$)/gm, `$1 ${staging}$2`);
  const build = join(folder, "build");
  await mkdir(build);
  await writeFile(join(build, "go.mod"), `${ours}\nrequire k8s.io/kubernetes ${newest.version}\n`);
  await writeFile(join(build, "go.sum"), await readFile(join(source, "go.sum"), "utf8"));
  const [major = "", minor = ""] = newest.minor.split(".");
  const version = ["gitMajor", major, "gitMinor", minor, "gitVersion", newest.version];
  const flags = [0, 2, 4].map((at) => `-X k8s.io/component-base/version.${version[at]}=${version[at + 1]}`);
  await run(
    "go",
    [
      ...["build", "-mod=mod", "-trimpath", `-ldflags=-s -w ${flags.join(" ")}`],
      ...["-o", join(folder, "kube-apiserver"), "k8s.io/kubernetes/cmd/kube-apiserver"],
    ],
    { ...goOptions(), cwd: build },
  );
}

/** Unpacked beside the system rather than installed: no service is set up or started. */
function unpack(debian: string): (folder: string) => Promise<void> {
  return async (folder) => {
    const fix = `Install it (Debian: apt-get install ${debian})`;
    if ((await onPath("apt-get")) === undefined || (await onPath("dpkg-deb")) === undefined) {
      throw new MissingToolError(`${debian} is missing. ${fix}`);
    }
    const download = () => attempt("apt-get", ["download", debian], { cwd: folder });
    if ((await download()).code !== 0) {
      // Package lists may be missing or old. Only root may renew them.
      await attempt("apt-get", ["update"]);
      const again = await download();
      if (again.code !== 0) throw new MissingToolError(`${debian} is missing. ${fix}\n${again.stderr}`);
    }
    const listed = await run("sh", ["-c", "ls *.deb"], { cwd: folder });
    await run("dpkg-deb", ["-x", listed.trim(), "."], { cwd: folder });
  };
}

async function requireGo(why: string): Promise<void> {
  if ((await onPath("go")) === undefined) {
    throw new MissingToolError(`${why} needs Go 1.26 or later. Install it (Debian: apt-get install golang)`);
  }
}

/** Whether there is a work tree around, or a vendor folder, must make no difference. */
function goOptions(): { cwd: string; env: NodeJS.ProcessEnv } {
  return { cwd: cacheFolder(), env: { ...process.env, GOWORK: "off", GOFLAGS: "" } };
}

async function onPath(program: string): Promise<string | undefined> {
  const found = await attempt("sh", ["-c", 'command -v "$1"', "sh", program]);
  return found.code === 0 ? found.stdout.trim() : undefined;
}
