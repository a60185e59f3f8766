/** Three masters with a replica each, which fail over by themselves. */
import type { Redis } from "ioredis";
import { startCluster } from "../../testing/redis-cluster.ts";
import type { TestRedis } from "../../testing/redis-server.ts";
import { eventually } from "./eventually.ts";

export interface ClusterNode {
  readonly redis: TestRedis;
  readonly admin: Redis;
}

/** A line of CLUSTER NODES. */
interface Member {
  readonly id: string;
  readonly node: ClusterNode;
  readonly masterId: string | undefined;
  readonly isUp: boolean;
}

export interface FaultyCluster {
  /** For REDIS_URL. */
  readonly url: string;
  /** The master where this key lies. */
  masterOf(key: string): Promise<ClusterNode>;
  /** What this master says from now on does not reach its replica, until `heal`. */
  cutReplica(master: ClusterNode): Promise<void>;
  /** Moves the slot of this key, with all in it, to another master. */
  moveSlot(key: string): Promise<void>;
  /** Resolves when another node serves what this one served. */
  replaced(master: ClusterNode): Promise<void>;
  /** Starts what was killed and resolves when every master has a replica that has caught up. */
  heal(): Promise<void>;
  close(): Promise<void>;
}

export async function startFaultyCluster(): Promise<FaultyCluster> {
  const cluster = await startCluster({ replicas: 1 });
  const nodes: ClusterNode[] = await Promise.all(
    cluster.nodes.map(async (redis) => ({
      redis,
      admin: await redis.client({ maxRetriesPerRequest: null, retryStrategy: () => 50 }),
    })),
  );
  const running = () => nodes.filter(({ redis }) => redis.isRunning());

  /** The fields of each line of CLUSTER NODES. */
  async function fieldsAsSeenBy({ admin }: ClusterNode): Promise<string[][]> {
    const lines = String(await admin.cluster("NODES"))
      .trim()
      .split("\n");
    return lines.map((line) => line.split(" "));
  }
  async function membersAsSeenBy(witness: ClusterNode): Promise<Member[]> {
    const lines = await fieldsAsSeenBy(witness);
    return lines.flatMap(([id = "", address = "", flags = "", master = "-"]) => {
      const node = nodes.find(({ redis }) => address.includes(`:${redis.port}@`));
      if (!node) return [];
      return [{ id, node, masterId: master === "-" ? undefined : master, isUp: !/fail/.test(flags) }];
    });
  }
  async function members(): Promise<Member[]> {
    const [witness] = running();
    if (!witness) throw new Error("No node is left.");
    return membersAsSeenBy(witness);
  }
  async function replicaOf(master: ClusterNode): Promise<ClusterNode> {
    const all = await members();
    const id = all.find(({ node }) => node === master)?.id;
    const replica = all.find(({ masterId }) => masterId === id)?.node;
    if (!replica) throw new Error("A master has no replica.");
    return replica;
  }
  async function masterOf(key: string): Promise<ClusterNode> {
    for (const node of running()) {
      const refused = await node.admin.exists(key).then(
        () => false,
        () => true,
      );
      const isMaster = /role:master/.test(await node.admin.info("replication"));
      if (!refused && isMaster) return node;
    }
    throw new Error("No master serves this key.");
  }

  async function isWhole(): Promise<boolean> {
    for (const witness of nodes) {
      const all = await membersAsSeenBy(witness);
      const masters = all.filter(({ masterId }) => masterId === undefined);
      if (masters.length !== 3 || all.some(({ isUp }) => !isUp)) return false;
      if (!/cluster_state:ok/.test(String(await witness.admin.cluster("INFO")))) return false;
    }
    for (const { node } of (await members()).filter(({ masterId }) => masterId === undefined)) {
      const info = await node.admin.info("replication");
      if (!/connected_slaves:1/.test(info) || !/state=online/.test(info)) return false;
    }
    return true;
  }

  /** Who has which slots, since when, as this node has heard. */
  async function mapOf(witness: ClusterNode): Promise<string> {
    const lines = await fieldsAsSeenBy(witness);
    return JSON.stringify(lines.map(([id, , , , , , epoch, , ...slots]) => [id, epoch, slots]).sort());
  }
  async function isAgreed(): Promise<boolean> {
    return new Set(await Promise.all(running().map(mapOf))).size === 1;
  }

  const faulty: FaultyCluster = {
    url: `redis+cluster://${cluster.ports.map((port) => `127.0.0.1:${port}`).join(",")}`,
    masterOf,
    async cutReplica(master) {
      const { admin } = await replicaOf(master);
      await eventually("the replica has what the master has", async () => {
        const said = /master_repl_offset:(\d+)/.exec(await master.admin.info("replication"))?.[1];
        const heard = /slave_repl_offset:(\d+)/.exec(await admin.info("replication"))?.[1];
        return heard === said;
      });
      // The master refuses this login, so the replica tries in vain until `heal`.
      await admin.config("SET", "masteruser", "nobody");
      await admin.config("SET", "masterauth", "wrong");
      await master.admin.call("CLIENT", "KILL", "TYPE", "replica");
      await eventually("the replica is cut off", async () =>
        /master_link_status:down/.test(await admin.info("replication")),
      );
    },
    async moveSlot(key) {
      // Who gets a slot takes the next epoch. One that has not heard of the last move would take one that loses
      // the slot again, to nobody.
      await eventually("all nodes have heard of the last move", isAgreed);
      const from = await masterOf(key);
      const all = await members();
      const source = all.find(({ node }) => node === from);
      const target = all.find(({ masterId, node }) => masterId === undefined && node !== from);
      if (!source || !target) throw new Error("There is nowhere to move a slot to.");
      const slot = Number(await from.admin.cluster("KEYSLOT", key));
      await target.node.admin.cluster("SETSLOT", slot, "IMPORTING", source.id);
      await from.admin.cluster("SETSLOT", slot, "MIGRATING", target.id);
      for (;;) {
        const keys = await from.admin.cluster("GETKEYSINSLOT", slot, 1);
        const [one] = Array.isArray(keys) ? keys : [];
        if (one === undefined) break;
        // One key at a time, so that a secret is in two places meanwhile.
        const to = ["127.0.0.1", target.node.redis.port];
        await from.admin.call("MIGRATE", ...to, String(one), 0, 5_000);
      }
      for (const { node } of [target, source]) await node.admin.cluster("SETSLOT", slot, "NODE", target.id);
    },
    async replaced(master) {
      const hasFailedOver = async () => {
        for (const witness of running()) {
          const all = await membersAsSeenBy(witness);
          const serving = all.filter(
            ({ masterId, node, isUp }) => masterId === undefined && node !== master && isUp,
          );
          const state = String(await witness.admin.cluster("INFO"));
          if (serving.length !== 3 || !state.includes("cluster_state:ok")) return false;
        }
        return true;
      };
      await eventually("the Cluster has failed over", hasFailedOver, 100);
    },
    async heal() {
      for (const { redis } of nodes) if (!redis.isRunning()) await redis.restart();
      for (const { admin } of nodes) {
        await admin.config("SET", "masteruser", "");
        await admin.config("SET", "masterauth", "");
      }
      await eventually("every master has a replica", isWhole, 45);
    },
    close: cluster.stop,
  };
  await faulty.heal();
  return faulty;
}
