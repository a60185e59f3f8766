import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { Redis, type RedisOptions } from "ioredis";
import { freePort } from "./free-port.ts";
import { memoryFolder } from "./memory-folder.ts";

/** A private Redis that holds nothing but what the test puts there. */
export interface TestRedis {
  readonly port: number;
  /** `redis://127.0.0.1:<port>` */
  readonly url: string;
  readonly dir: string;
  /** A plain client of the test's own, connected; `stop` disconnects it. */
  client(options?: Omit<RedisOptions, "replyMapping">): Promise<Redis>;
  /** Ends the process the hard way and resolves when it is gone. */
  kill(): Promise<void>;
  isRunning(): boolean;
  /** Starts it again on the same port: empty, unless the arguments say that it persists. */
  restart(): Promise<void>;
  /** Freezes it: connections stay open and nothing is answered, until `thaw`. */
  freeze(): void;
  thaw(): void;
  /** Ends everything and removes the folder. May be called twice. */
  stop(): Promise<void>;
}

const BINARY = "redis-server";
const BOUND_TAKEN = /Address already in use|Failed listening/;

const running = new Set<ChildProcess>();
const folders = new Set<string>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

interface Launched {
  readonly child: ChildProcess;
  /** Undefined once it is ready; else what it said. */
  readonly failure: string | undefined;
}

async function launch(port: number, dir: string, extra: readonly string[]): Promise<Launched> {
  // Later arguments win, so a test may override each of these.
  const quiet = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no"];
  const fast = ["--repl-diskless-sync-delay", "0"];
  // As in the chart and compose.yaml. A replica that took its copy by way of a disk would answer nobody meanwhile.
  const inMemory = ["--maxmemory-policy", "noeviction", "--repl-diskless-load", "swapdb"];
  const [first = "", ...others] = extra;
  const [file, rest] = first !== "" && !first.startsWith("--") ? [[first], others] : [[], extra];
  const args = [...file, "--port", String(port), "--dir", dir, ...quiet, ...fast, ...inMemory, ...rest];
  const child = spawn(BINARY, args, { stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  let said = "";
  const listen = (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-16_384);
  };
  const failure = await new Promise<string | undefined>((resolve, reject) => {
    child.once("error", (cause) => {
      running.delete(child);
      reject(new Error("redis-server can't be started. Install it: apt-get install redis-server", { cause }));
    });
    child.once("exit", () => {
      running.delete(child);
      resolve(said || "it said nothing");
    });
    child.stderr.on("data", listen);
    child.stdout.on("data", (chunk: Buffer) => {
      listen(chunk);
      // The last: what a sentinel says when it is up.
      if (/Ready to accept connections|Sentinel ID is/.test(said)) resolve(undefined);
    });
  });
  return { child, failure };
}

/**
 * Starts a redis-server on a free port of 127.0.0.1, with nothing persisted and `noeviction` unless
 * `args` (as on the command line) say otherwise; the first may be a configuration file, such as a
 * Sentinel's. Fails with what to install where there is none.
 */
export async function startRedis(...args: readonly string[]): Promise<TestRedis> {
  // A Cluster's nodes talk to each other 10000 ports higher by default, which may be beyond the last one.
  const ownBus = args.includes("--cluster-enabled") ? ["--cluster-port", String(await freePort())] : [];
  const extraArgs = [...args, ...ownBus];
  const dir = memoryFolder("redis");
  folders.add(dir);
  let port = await freePort();
  let current = await launch(port, dir, extraArgs);
  for (let attempt = 0; current.failure && BOUND_TAKEN.test(current.failure) && attempt < 5; attempt++) {
    port = await freePort();
    current = await launch(port, dir, extraArgs);
  }
  if (current.failure) {
    await rm(dir, { recursive: true, force: true });
    throw new Error(`redis-server ended at once: ${current.failure}`);
  }

  const clients = new Set<Redis>();
  const isRunning = () => current.child.exitCode === null && current.child.signalCode === null;
  async function kill(): Promise<void> {
    if (!isRunning()) return;
    current.child.kill("SIGKILL");
    await once(current.child, "exit");
  }

  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    dir,
    async client(options = {}) {
      const client = new Redis({ host: "127.0.0.1", port, lazyConnect: true, ...options });
      client.on("error", () => {}); // the test sees it on its commands
      clients.add(client);
      await client.connect();
      return client;
    },
    kill,
    isRunning,
    async restart() {
      await kill();
      current = await launch(port, dir, extraArgs);
      // Somebody else may have tried whether the port is free, and will be gone in a moment.
      for (let attempt = 0; current.failure && BOUND_TAKEN.test(current.failure) && attempt < 20; attempt++) {
        await setTimeout(100);
        current = await launch(port, dir, extraArgs);
      }
      if (current.failure) throw new Error(`redis-server did not come back: ${current.failure}`);
    },
    freeze: () => void current.child.kill("SIGSTOP"),
    thaw: () => void current.child.kill("SIGCONT"),
    async stop() {
      for (const client of clients) client.disconnect();
      await kill();
      // A child of its own that saves something may be writing for another moment.
      await rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
      folders.delete(dir);
    },
  };
}
