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
   * Milliseconds until a node that is silent counts as gone, once all have joined: 2000 by default, for
   * tests that wait for a failover; `NO_FAILOVER` for those that would suffer from one on a busy machine.
   */
  readonly nodeTimeout?: number;
}

export const NO_FAILOVER = 60_000;

/** A TLS port beside the plain one, which only the test itself uses. */
export function tlsArgs({ files }: Certificates, port: number): string[] {
  const paths = ["--tls-cert-file", files.cert, "--tls-key-file", files.key, "--tls-ca-cert-file", files.ca];
  return ["--tls-port", String(port), ...paths, "--tls-auth-clients", "yes"];
}

const cliTls = ({ files }: Certificates) => [
  "--tls",
  ...["--cacert", files.ca, "--cert", files.cert, "--key", files.key],
];

/** Three masters on free ports of 127.0.0.1, joined, and ready when this resolves. */
export async function startCluster({
  replicas = 0,
  args = [],
  certificates,
  nodeTimeout,
}: ClusterOptions = {}): Promise<TestCluster> {
  const options = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000", ...args];
  const started = await Promise.all(
    Array.from({ length: 3 * (replicas + 1) }, async () => {
      const start = async () => {
        const tlsPort = await freePort();
        const tls = certificates ? [...tlsArgs(certificates, tlsPort), "--tls-cluster", "yes"] : [];
        const node = await startRedis(...options, ...tls);
        return { node, clientPort: certificates ? tlsPort : node.port };
      };
      // Somebody else may have taken one of these ports in between.
      return start().catch(start).catch(start);
    }),
  );
  const nodes = started.map(({ node }) => node);
  const addresses = started.map(({ clientPort }) => `127.0.0.1:${clientPort}`);
  const joining = ["--cluster", "create", ...addresses, "--cluster-replicas", `${replicas}`, "--cluster-yes"];
  await run("redis-cli", [...(certificates ? cliTls(certificates) : []), ...joining]);
  const admins = await Promise.all(nodes.map((node) => node.client()));
  for (const admin of admins) {
    await until(async () => {
      const [state, map] = await Promise.all([admin.cluster("INFO"), admin.cluster("NODES")]);
      const known = String(map).trim().split("\n");
      const following = known.filter((line) => line.includes("slave")).length;
      return String(state).includes("cluster_state:ok") && following === 3 * replicas;
    });
  }
  if (nodeTimeout !== undefined) {
    for (const admin of admins) await admin.config("SET", "cluster-node-timeout", nodeTimeout);
  }
  return {
    nodes,
    ports: started.map(({ clientPort }) => clientPort),
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}
