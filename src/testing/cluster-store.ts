import type { Cluster, Redis } from "ioredis";
import { parseRedisUrl } from "../config/redis-url.ts";
import { connectCluster } from "../store/connect-redis.ts";
import { createRedisStore, type RedisStoreOptions } from "../store/redis.ts";
import { recordKey } from "../store/redis-keys.ts";
import { nodeNameFor } from "../store/redis-nodes.ts";
import type { NewSecret, Store } from "../store/store.ts";
import { newSecret } from "./new-secret.ts";
import { makePatient, opened, TEST_LIMITS } from "./open-redis-store.ts";
import type { TestCluster } from "./redis-cluster.ts";
import type { TestRedis } from "./redis-server.ts";
import { until } from "./until.ts";

function clientOf({ ports }: TestCluster): Cluster {
  const hosts = ports.map((port) => `127.0.0.1:${port}`).join(",");
  return connectCluster({ address: parseRedisUrl(`redis+cluster://${hosts}`) });
}

/** A connection as the program makes it. */
export function connectToCluster(cluster: TestCluster): Promise<Cluster> {
  return opened(clientOf(cluster));
}

/** One that gives a busy machine time, for tests that are not about outages. */
export function connectToClusterPatiently(cluster: TestCluster): Promise<Cluster> {
  return opened(makePatient(clientOf(cluster)));
}

/** A store on a Cluster, which waits for each master's one replica unless told otherwise. Close it yourself. */
export async function openClusterStore(
  cluster: TestCluster,
  options: Partial<RedisStoreOptions> = {},
): Promise<Store> {
  const client = options.client ?? (await connectToCluster(cluster));
  return createRedisStore({ limits: TEST_LIMITS, waitReplicas: 1, waitTimeout: 5_000, ...options, client });
}

/** One of a Cluster's nodes as it is now. */
export interface ClusterNode {
  readonly redis: TestRedis;
  readonly admin: Redis;
  /** As the nodes call it among themselves. */
  readonly id: string;
}

export async function describeNode(redis: TestRedis): Promise<ClusterNode> {
  const admin = await redis.client();
  return { redis, admin, id: String(await admin.cluster("MYID")) };
}

/** A secret that is kept there, as far as this client knows. */
export function secretOn(client: Cluster, { redis }: ClusterNode): NewSecret {
  for (let tries = 0; tries < 1_000; tries++) {
    const secret = newSecret();
    if (nodeNameFor(client, recordKey(secret.id)).endsWith(`:${redis.port}`)) return secret;
  }
  throw new Error(`None of 1,000 secrets is on port ${redis.port}, as the client knows the Cluster.`);
}

interface Pair {
  readonly master: ClusterNode;
  readonly replica: ClusterNode;
}

/** The master of a slot, and the replica that follows it, as soon as a node that runs tells of both. */
export async function nodesOf(cluster: TestCluster, slot: number): Promise<Pair> {
  const [witness] = cluster.nodes.filter((node) => node.isRunning());
  if (!witness) throw new Error("No node runs.");
  const admin = await witness.client();
  let found: readonly (TestRedis | undefined)[] = [];
  // A replica is not told of before it has heard something from its master.
  await until(async () => {
    const [, , ...places] =
      (await admin.cluster("SLOTS")).find(([from, to]) => from <= slot && slot <= to) ?? [];
    found = places.map(([, port]) => cluster.nodes.find((node) => node.port === port));
    return found.length === 2;
  });
  const [master, replica] = found;
  if (!master || !replica) throw new Error("The slot belongs to a node that is not the test's.");
  return { master: await describeNode(master), replica: await describeNode(replica) };
}

/** What the master says from now on does not reach this replica, until `mendLink`. */
export async function cutLink({ admin }: ClusterNode): Promise<void> {
  await admin.config("SET", "masteruser", "nobody");
  await admin.config("SET", "masterauth", "of that name");
  await admin.call("CLIENT", "KILL", "TYPE", "master");
  await until(async () => (await admin.info("replication")).includes("master_link_status:down"));
}

/** Lets it follow a master again, now or when it has one. */
export async function mendLink({ admin }: ClusterNode): Promise<void> {
  await admin.config("SET", "masteruser", "");
  await admin.config("SET", "masterauth", "");
}

/** When all nodes that run agree that this one is a master and that the Cluster is whole. */
export async function promoted(cluster: TestCluster, { id }: ClusterNode): Promise<void> {
  for (const node of cluster.nodes.filter((candidate) => candidate.isRunning())) {
    const admin = await node.client();
    await until(async () => {
      const [map, state] = await Promise.all([admin.cluster("NODES"), admin.cluster("INFO")]);
      const line =
        String(map)
          .split("\n")
          .find((entry) => entry.startsWith(id)) ?? "";
      return /\bmaster\b/.test(line) && String(state).includes("cluster_state:ok");
    });
  }
}
