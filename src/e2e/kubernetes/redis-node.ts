// The bundled Redis as a pod would run it: the chart's own scripts and configuration, rendered by
// helm, under the real programs, with a pod's address and folders replaced by ones of the test's.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../../testing/free-port.ts";
import { memoryFolder } from "../../testing/memory-folder.ts";
import { at, type Manifest } from "./helm.ts";
import { attempt, type Ran } from "./run.ts";

export interface RedisNode {
  readonly address: string;
  /** What redis-cli answers to the app's user. */
  readonly ask: (...command: string[]) => Promise<string>;
  readonly script: (name: string) => Promise<Ran>;
  readonly startRedis: (environment?: NodeJS.ProcessEnv) => ChildProcess;
  readonly startSentinel: () => ChildProcess;
  readonly output: () => string;
}

export interface RedisNodes {
  readonly nodes: readonly RedisNode[];
  /** The URL that the app gets, with this test's addresses. */
  readonly url: string;
  readonly passwords: readonly string[];
  readonly stop: () => Promise<void>;
}

/**
 * Every node has an address of its own in 127.0.0.0/8, as pods have. `alsoAllow` is added to the ACL
 * file: a user for the test itself, say.
 */
export async function prepareRedisNodes(
  manifests: readonly Manifest[],
  count: number,
  alsoAllow = "",
): Promise<RedisNodes> {
  const folder = memoryFolder("redis-nodes");
  const third = 1 + Math.floor(Math.random() * 250);
  const addresses = Array.from({ length: count }, (_, i) =>
    count === 1 ? "127.0.0.1" : `127.77.${third}.${i + 1}`,
  );
  const [redisPort, sentinelPort] = [await freePort(), await freePort()];
  const here = (text: string) =>
    text
      .replace(/(?<!\d)26379(?!\d)/g, String(sentinelPort))
      .replace(/(?<!\d)6379(?!\d)/g, String(redisPort));

  const named = (kind: string) =>
    manifests.find((it) => it.kind === kind && it.metadata.name === "waxseal-redis");
  const files = at<Record<string, string>>(named("ConfigMap") ?? {}, "data") ?? {};
  const secrets = Object.entries(at<Record<string, string>>(named("Secret") ?? {}, "data") ?? {}).map(
    ([key, value]) => [key, Buffer.from(value, "base64").toString()] as const,
  );
  const secret = (name: string) => secrets.find(([key]) => key === name)?.[1] ?? "";
  const children = new Set<ChildProcess>();
  const end = () => {
    for (const child of children) child.kill("SIGKILL");
  };
  process.once("exit", end);

  async function prepare(address: string): Promise<RedisNode> {
    const own = join(folder, address);
    const [config, run, mounted] = ["config", "run", "secrets"].map((name) => join(own, name)) as [
      string,
      string,
      string,
    ];
    for (const path of [config, run, mounted]) await mkdir(path, { recursive: true });
    for (const [name, text] of Object.entries(files)) {
      const placed = here(text)
        .replaceAll("bind * -::*", `bind ${address}`)
        .replaceAll("-h 127.0.0.1", `-h ${address}`)
        .replaceAll("dir /run/redis", `dir ${run}`);
      await writeFile(join(config, name), name === "app.acl" ? `${placed}\n${alsoAllow}` : placed);
    }
    for (const [name, text] of secrets) await writeFile(join(mounted, name), text);
    const env = {
      ...process.env,
      ...{ CONFIG_DIR: config, SCRIPTS_DIR: config, SECRETS_DIR: mounted, RUN_DIR: run },
      ...(count === 1 ? {} : { POD_NAME: address, REDIS_NODES: addresses.join(" ") }),
      // A pod has five seconds for what the tests do in three.
      ...{ QUORUM: "2", DOWN_AFTER_MILLISECONDS: "3000", FAILOVER_TIMEOUT_MILLISECONDS: "5000" },
      FAILOVER_WAIT_SECONDS: "30",
    };
    let said = "";
    const start = (script: string, more: NodeJS.ProcessEnv = {}) => {
      const child = spawn("sh", [join(config, script)], {
        env: { ...env, ...more },
        stdio: ["ignore", "pipe", "pipe"],
      });
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (bytes: Buffer) => (said += bytes));
      children.add(child);
      child.once("exit", () => children.delete(child));
      return child;
    };
    return {
      address,
      ask: async (...command) => {
        const { stdout, stderr } = await attempt(
          "redis-cli",
          ["-h", address, "-p", String(redisPort), "--user", "waxseal", "--no-auth-warning", ...command],
          { env: { ...process.env, REDISCLI_AUTH: secret("redis-password") } },
        );
        return (stdout + stderr).trim();
      },
      script: (name) => attempt("sh", [join(config, name)], { env }),
      startRedis: (more) => start("start-redis.sh", more),
      startSentinel: () => start("start-sentinel.sh"),
      output: () => said,
    };
  }

  const nodes = await Promise.all(addresses.map(prepare));
  const hosts = nodes.map(({ address }) => `${address}:${count === 1 ? redisPort : sentinelPort}`).join(",");
  return {
    nodes,
    url: secret("redis-url").replace(/@[^/?]*/, `@${hosts}`),
    passwords: secrets.filter(([key]) => key.endsWith("-password")).map(([, password]) => password),
    stop: async () => {
      process.off("exit", end);
      await Promise.all([...children].map(kill));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}
