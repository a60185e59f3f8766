/** A master and two replicas, and between all of them lines that can be broken. */
import type { Redis } from "ioredis";
import { startRedis, type TestRedis } from "../../testing/redis-server.ts";
import { startTcpProxy, type TcpProxy } from "../../testing/tcp-proxy.ts";
import { eventually } from "./eventually.ts";

export interface Node {
  readonly redis: TestRedis;
  readonly admin: Redis;
  /** The line by which it follows its master. */
  readonly uplink: TcpProxy;
}

export interface Trio {
  master(): Node;
  replicas(): Node[];
  /** A line of an app's own to whoever is master: a service address that moves with `promote`. */
  openLine(): Promise<TcpProxy>;
  /** What the master says from now on reaches no replica. */
  cutUplinks(): void;
  /** What was under way reaches the replicas, and what the master says from now on is on its way. */
  holdUplinks(): void;
  /** Somebody is waiting for replicas. */
  isWaitedFor(): Promise<boolean>;
  /** All that the master has said until now has reached the replicas. */
  caughtUp(): Promise<void>;
  /** Makes a replica the master and leads every line to it. The others follow nobody until `heal`. */
  promote(node: Node): Promise<void>;
  /** Starts what was killed, empty, lets everybody follow the master, and mends all lines. */
  heal(): Promise<void>;
  close(): Promise<void>;
}

/** The port is a dead one until it follows somebody. */
async function startNode(): Promise<Node> {
  const redis = await startRedis("--repl-backlog-size", "10mb");
  // Its commands wait for a restart, however long that takes.
  const admin = await redis.client({ maxRetriesPerRequest: null, retryStrategy: () => 50 });
  return { redis, admin, uplink: await startTcpProxy(redis.port) };
}

const offsetOf = async ({ admin }: Node, name: string) =>
  new RegExp(`^${name}:(\\d+)`, "m").exec(await admin.info("replication"))?.[1];

export async function startTrio(): Promise<Trio> {
  const nodes = await Promise.all([startNode(), startNode(), startNode()]);
  const lines: TcpProxy[] = [];
  let master: Node = nodes[0];
  const others = () => nodes.filter((node) => node !== master);

  async function follow(node: Node): Promise<void> {
    node.uplink.aim(master.redis.port);
    node.uplink.mend();
    await node.admin.replicaof("127.0.0.1", node.uplink.port);
  }

  /** A replica that is still loading counts for who wrote nothing: so something is written. */
  async function isWhole(): Promise<boolean> {
    await master.admin.set("whole", "yes");
    return (await master.admin.wait(2, 100)) === 2;
  }

  const trio: Trio = {
    master: () => master,
    replicas: others,
    async openLine() {
      const line = await startTcpProxy(master.redis.port);
      lines.push(line);
      return line;
    },
    cutUplinks() {
      for (const { uplink } of nodes) uplink.cut();
    },
    holdUplinks() {
      for (const { uplink } of nodes) {
        uplink.mend();
        uplink.holdAnswers();
      }
    },
    isWaitedFor: async () => /blocked_clients:[1-9]/.test(await master.admin.info("clients")),
    async caughtUp() {
      await eventually("the replicas have what the master has", async () => {
        const said = await offsetOf(master, "master_repl_offset");
        const heard = await Promise.all(others().map((node) => offsetOf(node, "slave_repl_offset")));
        return heard.every((offset) => offset === said);
      });
    },
    async promote(node) {
      master = node;
      await node.admin.replicaof("NO", "ONE");
      for (const line of lines) {
        line.aim(node.redis.port);
        line.mend();
      }
    },
    async heal() {
      await Promise.all(
        others().map(async (node) => {
          if (!node.redis.isRunning()) await node.redis.restart();
          await follow(node);
        }),
      );
      for (const line of lines) line.mend();
      await eventually("the master has two replicas that have caught up", isWhole);
    },
    async close() {
      await Promise.all([...lines, ...nodes.map(({ uplink }) => uplink)].map((line) => line.close()));
      await Promise.all(nodes.map(({ redis }) => redis.stop()));
    },
  };
  await trio.heal();
  return trio;
}
