// One compose project: Waxseal with what a set of overlays puts around it.

import { existsSync, readFileSync } from "node:fs";
import { isAbsolute } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Engine } from "./engine.ts";
import type { Ran, RunOptions } from "./tools.ts";

export const repository = fileURLToPath(new URL("../../../", import.meta.url));

export type Stack = {
  readonly compose: (args: readonly string[], options?: RunOptions) => Promise<Ran>;
  /** Starts what is not running and replaces what has changed; resolves when everything is ready. */
  readonly up: () => Promise<void>;
  readonly down: () => Promise<void>;
  readonly container: (service: string) => Promise<string>;
  readonly inspect: (service: string) => Promise<Inspected>;
  /** Resolves when Waxseal says that it is ready. */
  readonly ready: () => Promise<void>;
  readonly healthy: (service: string) => Promise<void>;
  readonly logs: (service: string) => Promise<string>;
  /** Runs the doctor in Waxseal's container, as the README tells operators to, with its exit code. */
  readonly doctor: (args: readonly string[]) => Promise<Ran>;
};

/** The part of `docker inspect` that the tests read. */
export type Inspected = {
  readonly State: {
    readonly Status: string;
    readonly Running: boolean;
    readonly ExitCode: number;
    readonly OOMKilled: boolean;
    readonly Pid: number;
    /** ISO 8601, with nanoseconds. */
    readonly StartedAt: string;
    readonly Health?: { readonly Status: string };
  };
  readonly RestartCount: number;
  readonly HostConfig: {
    readonly Memory: number;
    readonly MemorySwap: number;
    readonly PidsLimit: number;
    readonly ReadonlyRootfs: boolean;
    readonly CapDrop: readonly string[];
    readonly SecurityOpt: readonly string[];
    readonly RestartPolicy: { readonly Name: string };
    readonly LogConfig: { readonly Config: Readonly<Record<string, string>> };
    readonly PortBindings: Readonly<Record<string, unknown>> | null;
  };
  readonly Config: { readonly User: string };
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>> };
};

export async function inspectContainer(engine: Engine, id: string): Promise<Inspected> {
  const [found] = JSON.parse((await engine.docker(["inspect", id])).stdout) as Inspected[];
  if (found === undefined) throw new Error(`No container ${id}.`);
  return found;
}

/**
 * A container's start gives the machine another network interface, whose address becomes usable a second or
 * two later, and with each new address Chromium ends the requests it has (ERR_NETWORK_CHANGED).
 */
async function quietNetwork(): Promise<void> {
  // Without IPv6 there is no such file, and no address that takes its time.
  for (let waited = 0; waited < 10_000 && existsSync(ADDRESSES); waited += 100) {
    const flags = readFileSync(ADDRESSES, "utf8")
      .split("\n")
      .map((line) => Number.parseInt(line.split(/\s+/)[4] ?? "0", 16));
    if (!flags.some((flag) => (flag & IFA_F_TENTATIVE) !== 0)) return;
    await sleep(100);
  }
}

/** IPv6 addresses, one in a line, the fifth column being the flags. */
const ADDRESSES = "/proc/net/if_inet6";
/** linux/if_addr.h */
const IFA_F_TENTATIVE = 0x40;

/** `overlays`: names in deploy/compose, or absolute paths. */
export function createStack(
  engine: Engine,
  project: string,
  overlays: readonly string[],
  env: NodeJS.ProcessEnv,
): Stack {
  const pathOf = (name: string) => (isAbsolute(name) ? name : `deploy/compose/${name}`);
  const files = ["compose.yaml", ...overlays.map(pathOf)];
  const base = ["--project-name", project, ...files.flatMap((file) => ["--file", file])];
  const compose = (args: readonly string[], options: RunOptions = {}) =>
    engine.compose([...base, ...args], { cwd: repository, ...options, env: { ...env, ...options.env } });

  async function container(service: string): Promise<string> {
    const id = (await compose(["ps", "--quiet", service])).stdout.trim();
    if (id === "") throw new Error(`${service} has no container in ${project}.`);
    return id;
  }

  async function healthy(service: string): Promise<void> {
    const id = await container(service);
    for (let waited = 0; waited < 60_000; waited += 250) {
      const { State, RestartCount } = await inspectContainer(engine, id);
      if (State.Health?.Status === "healthy") return;
      if (RestartCount > 5) break;
      await sleep(250);
    }
    const said = await engine.docker(["logs", "--tail", "40", id], { mayFail: true });
    throw new Error(`${service} did not become healthy.\n${said.stdout}\n${said.stderr}`);
  }

  /** Sooner than the engine's next health check, and by the same means. */
  async function answers(): Promise<void> {
    const id = await container("waxseal");
    const probe = ["exec", id, "/usr/local/bin/node", "/app/dist/server.js", "healthcheck"];
    for (let waited = 0; waited < 40_000; waited += 500) {
      if ((await engine.docker(probe, { mayFail: true })).code === 0) return;
      if ((await inspectContainer(engine, id)).RestartCount > 3) break;
      await sleep(500);
    }
    throw new Error("Waxseal did not become ready.");
  }

  return {
    compose,
    container,
    healthy,
    async ready() {
      await answers();
      await quietNetwork();
    },
    async up() {
      await compose(["up", "--detach", "--no-build", "--remove-orphans"]);
      const services = (await compose(["config", "--services"])).stdout.trim().split("\n");
      await Promise.all(
        services.map((service) => {
          if (service === "waxseal") return answers();
          return service === "caddy" || service === "nginx" ? undefined : healthy(service);
        }),
      );
      await quietNetwork();
    },
    async down() {
      await compose(["down", "--volumes", "--timeout", "3", "--remove-orphans"]);
    },
    inspect: async (service) => inspectContainer(engine, await container(service)),
    async logs(service) {
      const said = await engine.docker(["logs", await container(service)]);
      return `${said.stdout}\n${said.stderr}`;
    },
    doctor: (args) =>
      compose(["exec", "-T", "waxseal", "/usr/local/bin/node", "/app/dist/server.js", "doctor", ...args], {
        mayFail: true,
      }),
  };
}

/** Runs one Redis command over standard input, as `user` where one is given, so that nothing shows in a process list. */
export async function redisCommand(
  engine: Engine,
  container: string,
  command: string,
  user?: { readonly name: string; readonly password: string },
): Promise<string> {
  const login = user === undefined ? "" : `AUTH ${user.name} ${user.password}\n`;
  const ran = await engine.docker(["exec", "-i", container, "redis-cli"], {
    input: `${login}${command}\n`,
    mayFail: true,
  });
  const lines = ran.stdout.trim().split("\n");
  return (user === undefined ? lines : lines.slice(1)).join("\n").trim();
}
