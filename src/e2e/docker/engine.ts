// A Docker engine of the tests' own: its own data, socket and process ids, so that nothing a developer
// runs on the same machine is seen, slowed down or removed. Its images are kept outside the repository
// between runs, because making them again for each file of tests would take longer than the tests.

import { spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  isAlive,
  markOf,
  removeFolder,
  removeForgottenLayers,
  removeLeftovers,
  temporaryFolder,
} from "./leftovers.ts";
import { noteNetwork, restoreNetwork } from "./packet-filter.ts";
import { ensureTools, MissingToolError, type Ran, type RunOptions, run } from "./tools.ts";

export type Engine = {
  /** The environment under which `docker` and `docker-compose` talk to this engine. */
  readonly env: NodeJS.ProcessEnv;
  readonly docker: (args: readonly string[], options?: RunOptions) => Promise<Ran>;
  readonly compose: (args: readonly string[], options?: RunOptions) => Promise<Ran>;
  readonly stop: () => Promise<void>;
};

/** Whether another engine already looks after this machine's packet filter. */
function anotherEngineRuns(): boolean {
  return readdirSync("/proc").some((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    try {
      const isEngine = readFileSync(`/proc/${entry}/comm`, "utf8").trim() === "dockerd";
      return isEngine && markOf(entry) !== undefined;
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

const dataRoot = (driver: string) => join(cacheFolder(), `images-${driver}`);
const lockFile = () => join(cacheFolder(), "lock");

/** One engine at a time may have the data. Waits for another file of tests, not for one that was killed. */
async function takeTurn(): Promise<() => void> {
  const file = lockFile();
  const own = `${file}.${process.pid}`;
  writeFileSync(own, markOf(process.pid) ?? "");
  try {
    for (let waited = 0; waited < 240_000; waited += 500) {
      try {
        // Linked rather than created, so that nobody ever reads it before the name of its holder is in it.
        linkSync(own, file);
        return () => rmSync(file, { force: true });
      } catch {
        const holders = readFileSync(file, { encoding: "utf8", flag: "a+" }).split(" ");
        if (!holders.some(isAlive)) rmSync(file, { force: true });
        else await sleep(500);
      }
    }
  } finally {
    rmSync(own);
  }
  throw new Error(`Another run holds ${file} for too long.`);
}

async function tryStart(driver: string): Promise<Engine | string> {
  const home = temporaryFolder("engine");
  const socket = join(home, "socket");
  const logFile = join(home, "log");
  const log = openSync(logFile, "w");
  // Two engines that both write packet filter rules undo each other's. Published ports then go
  // through the engine's own proxy process instead.
  const shared = anotherEngineRuns();
  const pool = 100 + (process.pid % 100);
  const daemon = spawn(
    // It ends with this process, however that ends.
    "setpriv",
    [
      ...["--pdeathsig", "TERM", "dockerd"],
      ...["--data-root", dataRoot(driver), "--exec-root", join(home, "exec")],
      ...["--pidfile", join(home, "pid"), "--host", `unix://${socket}`, "--storage-driver", driver],
      ...["--bridge", "none", "--default-address-pool", `base=10.${pool}.0.0/16,size=24`],
      ...["--shutdown-timeout", "3", ...(shared ? ["--iptables=false"] : [])],
    ],
    { stdio: ["ignore", log, log], env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` } },
  );
  closeSync(log);
  // A killed run's engine may still be ending when the next run begins.
  writeFileSync(`${lockFile()}.${process.pid}`, `${markOf(process.pid)} ${markOf(daemon.pid ?? 0)}`);
  renameSync(`${lockFile()}.${process.pid}`, lockFile());
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
    // Seconds. Of its own accord, docker-compose 1.29 waits for an answer for one minute.
    COMPOSE_HTTP_TIMEOUT: "230",
  };
  for (const name of ["DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "COMPOSE_FILE", "COMPOSE_PROJECT_NAME"]) {
    delete env[name];
  }

  async function end(): Promise<void> {
    daemon.kill("SIGTERM");
    for (let waited = 0; !ended && waited < 20_000; waited += 100) await sleep(100);
    if (!ended) daemon.kill("SIGKILL");
    // What a killed engine leaves running and mounted would keep its folder from being removed.
    removeFolder(home);
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

/** Images that a test tags under this name need not be removed by it. */
export const temporary = "waxseal-temporary";

/**
 * Keeps the images that have a name and what they were made of; takes away the rest, a killed run's
 * containers included. What the builders keep beside that grows by half a gigabyte with each run.
 */
async function tidy({ docker }: Engine): Promise<void> {
  const left = (await docker(["ps", "--all", "--quiet"])).stdout.trim().split("\n").filter(Boolean);
  if (left.length > 0) await docker(["rm", "--force", "--volumes", ...left]);
  await docker(["network", "prune", "--force"]);
  await docker(["volume", "prune", "--force"]);
  // By name: an image that has another name as well loses only this one.
  const named = await docker(["images", "--format", "{{.Repository}}:{{.Tag}}", temporary]);
  const passing = named.stdout.trim().split("\n").filter(Boolean);
  if (passing.length > 0) await docker(["image", "rm", "--force", ...passing]);
  await docker(["builder", "prune", "--all", "--force"]);
  await docker(["image", "prune", "--force"]);
}

/** overlay2 where the kernel and the file system allow it; vfs copies every layer, but always works. */
export async function startEngine(): Promise<Engine> {
  await ensureTools();
  const release = await takeTurn();
  removeLeftovers();
  const network = join(cacheFolder(), "network.json");
  if (!anotherEngineRuns()) noteNetwork(network);
  const said: string[] = [];
  for (const driver of ["overlay2", "vfs"]) {
    const engine = await tryStart(driver);
    if (typeof engine === "string") {
      said.push(`--- ${driver} ---\n${engine}`);
      continue;
    }
    let ending: Promise<void> | undefined;
    const end = () => {
      ending ??= (async () => {
        clearInterval(watch);
        await engine.stop();
        removeForgottenLayers(dataRoot(driver), driver);
        // Otherwise the one that still runs needs it, and the next run puts it back.
        if (!anotherEngineRuns()) restoreNetwork(network);
        release();
        process.off("SIGTERM", interrupted);
        process.off("SIGINT", interrupted);
      })();
      return ending;
    };
    // The test runner ends a file that takes too long with a signal: no `after` hook runs then. A second one,
    // of the other kind perhaps, must not end this process before its engine.
    const interrupted = () => {
      void end().finally(() => process.exit(1));
    };
    const runner = process.ppid;
    const watch = setInterval(() => process.ppid !== runner && interrupted(), 1000);
    watch.unref();
    process.on("SIGTERM", interrupted);
    process.on("SIGINT", interrupted);
    await tidy(engine).catch(async (error) => {
      await end();
      throw error;
    });
    return {
      ...engine,
      async stop() {
        await tidy(engine).finally(end);
      },
    };
  }
  release();
  throw new MissingToolError(`dockerd does not start on this machine.\n${said.join("\n")}`);
}
