// A Docker engine of the tests' own: its own data, socket and process ids, so that nothing a developer
// runs on the same machine is seen, slowed down or removed. Its images are kept outside the repository
// between runs, because making them again for each file of tests would take longer than the tests.

import { type SpawnOptions, spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };

export type RunOptions = {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly input?: string;
  readonly timeoutMs?: number;
  /** Return a failure instead of throwing it. */
  readonly mayFail?: boolean;
};

export type Engine = {
  /** The environment under which `docker` and `docker-compose` talk to this engine. */
  readonly env: NodeJS.ProcessEnv;
  readonly docker: (args: readonly string[], options?: RunOptions) => Promise<Ran>;
  readonly compose: (args: readonly string[], options?: RunOptions) => Promise<Ran>;
  readonly stop: () => Promise<void>;
};

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
  await run("apt-get", ["update", "-qq"], { env });
  await run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...missing], { env });
}

/** Whether another engine already looks after this machine's packet filter. */
function anotherEngineRuns(): boolean {
  return readdirSync("/proc").some((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    try {
      return readFileSync(`/proc/${entry}/comm`, "utf8").trim() === "dockerd";
    } catch {
      return false;
    }
  });
}

/** The client that belongs to the engine: another one on the PATH may know neither builder. */
function clientProgram(): string {
  return existsSync("/usr/bin/docker") ? "/usr/bin/docker" : "docker";
}

export function cacheFolder(): string {
  const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "waxseal-rig");
  mkdirSync(folder, { recursive: true });
  return folder;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** One engine at a time may have the data. Waits for another file of tests, not for one that was killed. */
async function takeTurn(): Promise<() => void> {
  const file = join(cacheFolder(), "lock");
  for (let waited = 0; waited < 240_000; waited += 500) {
    try {
      writeFileSync(file, String(process.pid), { flag: "wx" });
      return () => rmSync(file, { force: true });
    } catch {
      const holder = Number(readFileSync(file, { encoding: "utf8", flag: "a+" }));
      if (!isAlive(holder) || holder === 0) rmSync(file, { force: true });
      else await sleep(500);
    }
  }
  throw new Error(`Another run holds ${file} for too long.`);
}

async function tryStart(driver: string): Promise<Engine | string> {
  const home = mkdtempSync(join(tmpdir(), "waxseal-engine-"));
  const socket = join(home, "socket");
  const logFile = join(home, "log");
  const log = openSync(logFile, "w");
  // Two engines that both write packet filter rules undo each other's. Published ports then go
  // through the engine's own proxy process instead.
  const shared = anotherEngineRuns();
  const pool = 100 + (process.pid % 100);
  const daemon = spawn(
    "dockerd",
    [
      ...["--data-root", join(cacheFolder(), `engine-${driver}`), "--exec-root", join(home, "exec")],
      ...["--pidfile", join(home, "pid"), "--host", `unix://${socket}`, "--storage-driver", driver],
      ...["--bridge", "none", "--default-address-pool", `base=10.${pool}.0.0/16,size=24`],
      ...["--shutdown-timeout", "3", ...(shared ? ["--iptables=false"] : [])],
    ],
    { stdio: ["ignore", log, log], env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` } },
  );
  closeSync(log);
  let ended = false;
  daemon.once("exit", () => {
    ended = true;
  });
  daemon.once("error", () => {
    ended = true;
  });

  const env: NodeJS.ProcessEnv = {
    ...process.env,
    DOCKER_HOST: `unix://${socket}`,
    DOCKER_CONFIG: join(home, "client"),
  };
  for (const name of ["DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "COMPOSE_FILE", "COMPOSE_PROJECT_NAME"]) {
    delete env[name];
  }

  async function end(): Promise<void> {
    daemon.kill("SIGTERM");
    for (let waited = 0; !ended && waited < 20_000; waited += 100) await sleep(100);
    if (!ended) daemon.kill("SIGKILL");
    // What a killed engine leaves mounted would keep its folder from being removed.
    for (const line of readFileSync("/proc/mounts", "utf8").split("\n").reverse()) {
      const target = line.split(" ")[1];
      if (target?.startsWith(`${home}/`)) spawnSync("umount", ["-l", target]);
    }
    rmSync(home, { recursive: true, force: true });
  }

  const docker: Engine["docker"] = (args, options = {}) =>
    run(clientProgram(), args, { ...options, env: { ...env, ...options.env } });
  for (let waited = 0; waited < 30_000 && !ended; waited += 200) {
    const answer = existsSync(socket) ? await docker(["version"], { mayFail: true }) : undefined;
    if (answer?.code === 0) {
      return {
        env,
        docker,
        compose: (args, options = {}) =>
          run("docker-compose", args, { ...options, env: { ...env, ...options.env } }),
        stop: end,
      };
    }
    await sleep(200);
  }
  const said = readFileSync(logFile, "utf8").slice(-3000);
  await end();
  return said;
}

/** What a run that was killed left behind, and of the builders' caches what is older than a day. */
async function sweep(engine: Engine): Promise<void> {
  const left = (await engine.docker(["ps", "--all", "--quiet"])).stdout.trim().split("\n").filter(Boolean);
  if (left.length > 0) await engine.docker(["rm", "--force", "--volumes", ...left]);
  for (const what of ["network", "volume"]) await engine.docker([what, "prune", "--force"]);
  for (const what of ["image", "builder"]) {
    await engine.docker([what, "prune", "--force", "--filter", "until=24h"]);
  }
}

/** overlay2 where the kernel and the file system allow it; vfs copies every layer, but always works. */
export async function startEngine(): Promise<Engine> {
  await ensureTools();
  const release = await takeTurn();
  const said: string[] = [];
  for (const driver of ["overlay2", "vfs"]) {
    const engine = await tryStart(driver);
    if (typeof engine === "string") {
      said.push(`--- ${driver} ---\n${engine}`);
      continue;
    }
    await sweep(engine);
    const stop = async () => {
      process.off("SIGTERM", interrupted);
      process.off("SIGINT", interrupted);
      await engine.stop();
      release();
    };
    // The test runner ends a file that takes too long with a signal: no `after` hook runs then.
    const interrupted = () => {
      void stop().finally(() => process.exit(1));
    };
    process.once("SIGTERM", interrupted);
    process.once("SIGINT", interrupted);
    return { ...engine, stop };
  }
  release();
  throw new MissingToolError(`dockerd does not start on this machine.\n${said.join("\n")}`);
}
