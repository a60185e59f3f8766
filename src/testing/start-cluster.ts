import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Cluster, type Redis } from "ioredis";
import { startRedis, type TestRedis } from "./redis-server.ts";
import { until } from "./until.ts";

const run = promisify(execFile);

/** A private Redis Cluster of three masters, without replicas. */
export interface TestCluster {
  readonly nodes: readonly TestRedis[];
  /** Plain clients of the test's own, one for each node. */
  readonly admins: readonly Redis[];
  /** A client as the program makes it, connected when it is first used. Close it yourself. */
  connect(): Cluster;
  stop(): Promise<void>;
}

export async function startCluster(): Promise<TestCluster> {
  const nodes = await Promise.all(
    Array.from({ length: 3 }, () => startRedis("--cluster-enabled", "yes", "--cluster-node-timeout", "2000")),
  );
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  try {
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
    await run("redis-cli", ["--cluster", "create", ...addresses, "--cluster-yes"]);
    const admins = await Promise.all(nodes.map((node) => node.client()));
    for (const admin of admins) {
      await until(async () => String(await admin.cluster("INFO")).includes("cluster_state:ok"));
    }
    return {
      nodes,
      admins,
      connect: () =>
        new Cluster(
          nodes.map(({ port }) => ({ host: "127.0.0.1", port })),
          { lazyConnect: true },
        ),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
