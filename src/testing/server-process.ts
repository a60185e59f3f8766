import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { freePort } from "./free-port.ts";

/** The server as people run it: what `npm run build` made, in a process and an environment of its own. */
export interface ServerProcess {
  readonly url: string;
  readonly port: number;
  /** Undefined where it could not even be started. */
  readonly pid: number | undefined;
  /** All that it has written to stdout and stderr. */
  readonly output: () => string;
  signal(name: NodeJS.Signals): void;
  /** Resolves with the exit code once it has ended. */
  readonly ended: Promise<number | null>;
  /** Ends it the hard way where it still runs. */
  stop(): Promise<void>;
}

const root = fileURLToPath(new URL("../../", import.meta.url));

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/**
 * Starts it and doesn't wait. Only PATH is inherited, so that nobody's settings leak into a test. With a
 * `logFile` it writes there instead of into this process's memory: for millions of lines.
 */
export function launchServer(
  port: number,
  env: Readonly<Record<string, string>> = {},
  args: readonly string[] = [],
  logFile?: string,
): ServerProcess {
  return launchProgram(["dist/server.js", ...args], port, env, logFile);
}

/** Node with these arguments, in the project's folder. */
function launchProgram(
  args: readonly string[],
  port: number,
  env: Readonly<Record<string, string>>,
  logFile?: string,
): ServerProcess {
  const log = logFile === undefined ? undefined : openSync(logFile, "a");
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { PATH: process.env.PATH, PORT: String(port), ...env },
    stdio: ["ignore", log ?? "pipe", log ?? "pipe"],
  });
  if (log !== undefined) closeSync(log);
  running.add(child);
  let output = "";
  const keep = (chunk: Buffer) => {
    output += chunk.toString();
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  const ended = once(child, "close").then(() => {
    running.delete(child);
    return child.exitCode;
  });
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    pid: child.pid,
    output: () => (logFile === undefined ? output : readFileSync(logFile, "utf8")),
    signal: (name) => void child.kill(name),
    ended,
    async stop() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Resolves when it says that it is ready. */
export async function startServer(
  env: Readonly<Record<string, string>> = {},
  logFile?: string,
): Promise<ServerProcess> {
  return startProgram(["dist/server.js"], env, logFile);
}

/** Another program that listens on PORT and says, like the server, that it "is ready". */
export async function startProgram(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  logFile?: string,
): Promise<ServerProcess> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const server = launchProgram(args, await freePort(), env, logFile);
    if (await until(() => / is ready/.test(server.output()), server.ended)) return server;
    // Somebody else may have taken the port in between.
    if (!/is in use|EADDRINUSE/.test(server.output()))
      throw new Error(`The server ended: ${server.output()}`);
  }
  throw new Error("No port stayed free.");
}

/** Looks every few milliseconds until it is so; false where the process ended first. */
async function until(isSo: () => boolean, ended: Promise<unknown>): Promise<boolean> {
  let over = false;
  void ended.then(() => {
    over = true;
  });
  while (!isSo()) {
    if (over) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}
