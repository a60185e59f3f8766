// The programs that the appliance's tests run, and where they come from.

import { type SpawnOptions, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

export type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };

export type RunOptions = {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly input?: string;
  readonly timeoutMs?: number;
  /** Return a failure instead of throwing it. */
  readonly mayFail?: boolean;
};

/** Milliseconds, for what fetches or compiles: a slow network and a busy machine are no failures. */
export const BUILD_TIME = 20 * 60_000;

export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly code: number;
  constructor(command: string, ran: Ran) {
    super(`${command}\nexited ${ran.code}\n${ran.stdout.slice(-4000)}\n${ran.stderr.slice(-4000)}`);
    this.code = ran.code;
  }
}

export class MissingToolError extends Error {
  override readonly name = "MissingToolError";
  readonly code = "missing-tool";
}

export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const spawnOptions: SpawnOptions = { stdio: ["pipe", "pipe", "pipe"] };
  if (options.env !== undefined) spawnOptions.env = options.env;
  if (options.cwd !== undefined) spawnOptions.cwd = options.cwd;
  const child = spawn(command, args, spawnOptions);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on("data", (bytes: Buffer) => out.push(bytes));
  child.stderr?.on("data", (bytes: Buffer) => err.push(bytes));
  child.stdin?.on("error", () => {});
  child.stdin?.end(options.input ?? "");
  const timer = setTimeout(() => child.kill("SIGKILL"), options.timeoutMs ?? 240_000);
  const code = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exit) => resolve(exit ?? 137));
  }).finally(() => clearTimeout(timer));
  const ran = { code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
  if (code !== 0 && options.mayFail !== true) throw new CommandError([command, ...args].join(" "), ran);
  return ran;
}

/** Programs that the appliance's tests need, and Debian's packages that hold them. */
const tools = new Map([
  ["dockerd", "docker.io"],
  // Debian's engine brings these two; one from elsewhere may not.
  ["containerd", "containerd"],
  ["runc", "runc"],
  ["docker-compose", "docker-compose"],
  ["iptables", "iptables"],
  ["mmdebstrap", "mmdebstrap"],
  ["chromium", "chromium"],
  ["openssl", "openssl"],
]);

function onPath(program: string): boolean {
  const folders = `${process.env.PATH ?? ""}:/usr/sbin:/sbin`.split(":");
  return folders.some((folder) => folder !== "" && existsSync(join(folder, program)));
}

export async function ensureTools(): Promise<void> {
  const missing = [...tools].filter(([program]) => !onPath(program)).map(([, holder]) => holder);
  if (process.getuid?.() !== 0) {
    throw new MissingToolError(
      "The appliance test starts a Docker engine of its own and must run as root. " +
        `Run it with sudo${missing.length === 0 ? "" : `, after: apt-get install ${missing.join(" ")}`}.`,
    );
  }
  if (missing.length === 0) return;
  if (!onPath("apt-get")) {
    throw new MissingToolError(
      `Missing: ${missing.join(", ")}. Install them; the test can do so itself only with apt-get.`,
    );
  }
  // RUNLEVEL=1 keeps the packages from starting a system-wide engine.
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  const options = { env, timeoutMs: BUILD_TIME };
  // Its failure is not the end: one of several sources may be out of reach.
  await run("apt-get", ["update", "-qq"], { ...options, mayFail: true });
  const install = ["install", "-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"];
  await run("apt-get", [...install, ...missing], options);
}
