import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Certificates } from "./certificates.ts";
import { freePort } from "./free-port.ts";
import { startRedis, type TestRedis } from "./redis-server.ts";
import { until } from "./until.ts";

const run = promisify(execFile);

export interface TestCluster {
  /** Masters first, as far as they are so at start. */
  readonly nodes: readonly TestRedis[];
  /** Where clients connect to each. */
  readonly ports: readonly number[];
  stop(): Promise<void>;
}

export interface ClusterOptions {
  /** Replicas of each master. */
  readonly replicas?: number;
  /** For each node. */
  readonly args?: readonly string[];
  /** With these, nodes and clients speak TLS, the clients at `ports`. */
  readonly certificates?: Certificates;
  /**
   * Milliseconds until a node that is silent counts as gone, once all have joined: 2000 by default;
   * `NO_FAILOVER` for tests that would suffer from a failover on a busy machine, or do until they
   * `expectFailover`.
   */
  readonly nodeTimeout?: number;
}

export const NO_FAILOVER = 60_000;
const FAILOVER = 2_000;

/** A TLS port beside the plain one, which only the test itself uses. */
export function tlsArgs({ files }: Certificates, port: number): string[] {
  const paths = ["--tls-cert-file", files.cert, "--tls-key-file", files.key, "--tls-ca-cert-file", files.ca];
  return ["--tls-port", String(port), ...paths, "--tls-auth-clients", "yes"];
}

const cliTls = ({ files }: Certificates) => [
  "--tls",
  ...["--cacert", files.ca, "--cert", files.cert, "--key", files.key],
];

async function setNodeTimeout(nodes: readonly TestRedis[], milliseconds: number): Promise<void> {
  for (const node of nodes.filter((candidate) => candidate.isRunning())) {
    await (await node.client()).config("SET", "cluster-node-timeout", milliseconds);
  }
}

/** To be called right before a master is ended: its replica soon takes over. */
export const expectFailover = ({ nodes }: TestCluster) => setNodeTimeout(nodes, FAILOVER);

/** As with `NO_FAILOVER`, again: a node that was started anew does not have it yet. */
export const expectNoFailover = ({ nodes }: TestCluster) => setNodeTimeout(nodes, NO_FAILOVER);

interface Started {
  readonly node: TestRedis;
  readonly clientPort: number;
}

async function startNode({ args = [], certificates }: ClusterOptions): Promise<Started> {
  const options = ["--cluster-enabled", "yes", "--cluster-node-timeout", String(FAILOVER), ...args];
  const start = async () => {
    const tlsPort = await freePort();
    const tls = certificates ? [...tlsArgs(certificates, tlsPort), "--tls-cluster", "yes"] : [];
    const node = await startRedis(...options, ...tls);
    return { node, clientPort: certificates ? tlsPort : node.port };
  };
  // Somebody else may have taken one of these ports in between.
  return start().catch(start).catch(start);
}

async function join(
  started: readonly Started[],
  { replicas = 0, certificates }: ClusterOptions,
): Promise<void> {
  const addresses = started.map(({ clientPort }) => `127.0.0.1:${clientPort}`);
  const joining = ["--cluster", "create", ...addresses, "--cluster-replicas", `${replicas}`, "--cluster-yes"];
  // It would wait for ever for a node that has not got the word to meet the others.
  await run("redis-cli", [...(certificates ? cliTls(certificates) : []), ...joining], { timeout: 60_000 });
  for (const { node } of started) {
    const admin = await node.client();
    await until(async () => {
      const [state, map] = await Promise.all([admin.cluster("INFO"), admin.cluster("NODES")]);
      const known = String(map).trim().split("\n");
      const following = known.filter((line) => line.includes("slave")).length;
      return String(state).includes("cluster_state:ok") && following === 3 * replicas;
    });
  }
}

async function startJoined(options: ClusterOptions): Promise<TestCluster> {
  const { replicas = 0, nodeTimeout } = options;
  const count = 3 * (replicas + 1);
  const starting = await Promise.allSettled(Array.from({ length: count }, () => startNode(options)));
  const started = starting.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
  const nodes = started.map(({ node }) => node);
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  try {
    for (const start of starting) if (start.status === "rejected") throw start.reason;
    await join(started, options);
    if (nodeTimeout !== undefined) await setNodeTimeout(nodes, nodeTimeout);
  } catch (error) {
    await stop();
    throw error;
  }
  return { nodes, ports: started.map(({ clientPort }) => clientPort), stop };
}

/** Three masters on free ports of 127.0.0.1, joined, and ready when this resolves. */
export async function startCluster(options: ClusterOptions = {}): Promise<TestCluster> {
  const start = () => startJoined(options);
  return start().catch(start);
}
