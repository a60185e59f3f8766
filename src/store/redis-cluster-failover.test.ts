import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Cluster } from "ioredis";
import {
  type ClusterNode,
  connectToCluster,
  connectToClusterPatiently,
  cutLink,
  mendLink,
  nodesOf,
  openClusterStore,
  promoted,
  secretOn,
} from "../testing/cluster-store.ts";
import { newSecret, opening, openingOnce, openingWrong } from "../testing/new-secret.ts";
import { TEST_LIMITS } from "../testing/open-redis-store.ts";
import { patiently } from "../testing/patiently.ts";
import {
  expectFailover,
  expectNoFailover,
  NO_FAILOVER,
  startCluster,
  type TestCluster,
} from "../testing/redis-cluster.ts";
import { until } from "../testing/until.ts";
import { DUE_KEY, recordKey } from "./redis-keys.ts";
import { nodeNameFor, slotOf } from "./redis-nodes.ts";
import { type NewSecret, type OpenRequest, type Store, StoreUnavailableError } from "./store.ts";

const unavailable = (error: unknown) => error instanceof StoreUnavailableError;
const kinds = (results: readonly { kind: string }[]) => [...new Set(results.map(({ kind }) => kind))];

describe("A Cluster whose master is killed", () => {
  let cluster: TestCluster;
  let client: Cluster;
  let store: Store;
  /** Soon gives up: for what can't be done. */
  let hasty: Store;
  /** Waits as long as it takes on a busy machine: for what can, before anything fails. */
  let patient: Store;

  before(async () => {
    // A replica that was without its master for long takes over all the same.
    const args = ["--cluster-replica-validity-factor", "0"];
    cluster = await startCluster({ replicas: 1, args, nodeTimeout: NO_FAILOVER });
    client = await connectToCluster(cluster);
    // Who was handed something comes again after a failover, however long that takes.
    const limits = { ...TEST_LIMITS, redeliveryWindow: 300 };
    store = await openClusterStore(cluster, { limits });
    hasty = await openClusterStore(cluster, { limits, waitTimeout: 300 });
    const patientClient = await connectToClusterPatiently(cluster);
    patient = await openClusterStore(cluster, { client: patientClient, limits, waitTimeout: 20_000 });
  });
  after(async () => {
    client?.disconnect();
    await Promise.all([store?.close(), hasty?.close(), patient?.close()]);
    await cluster?.stop();
  });

  /** Once the client knows of it as well, which tells by which node a secret is. */
  async function anyPair() {
    for (;;) {
      const key = recordKey(newSecret().id);
      const pair = await nodesOf(cluster, slotOf(key));
      const port = `:${pair.master.redis.port}`;
      await until(async () => {
        await new Promise<void>((resolve) => client.refreshSlotsCache(() => resolve()));
        return nodeNameFor(client, key).endsWith(port);
      });
      if (!nodeNameFor(client, DUE_KEY).endsWith(port)) return pair;
    }
  }
  async function returnAsReplica(node: ClusterNode, master: ClusterNode): Promise<void> {
    await node.redis.restart();
    await expectNoFailover(cluster);
    const admin = await node.redis.client();
    await until(async () => (await admin.info("replication")).includes("master_link_status:up"));
    await until(async () => {
      await master.admin.publish("any", "thing");
      return (await master.admin.info("replication")).includes("state=online");
    });
  }

  it("keeps what was confirmed, hands nothing over again, and a plain GETDEL does", async () => {
    const { master, replica } = await anyPair();
    const make = async (count = 6) => {
      const secrets = Array.from({ length: count }, () => secretOn(client, master));
      await Promise.all(secrets.map((secret) => patient.create(secret)));
      return secrets;
    };
    const [sealed, claimed, once, received, deleted, locked, pending, destined] = [
      await make(),
      await make(),
      await make(),
      await make(),
      await make(),
      await make(),
      await make(),
      await make(),
    ];
    const claims = new Map<NewSecret, OpenRequest & { claim: Uint8Array }>();
    for (const secret of [...claimed, ...received, ...pending]) claims.set(secret, opening(secret));
    const claimOf = (secret: NewSecret) => claims.get(secret) ?? opening(secret);
    for (const secret of [...claimed, ...received]) {
      assert.equal((await patient.open(claimOf(secret))).kind, "handed-over");
    }
    for (const secret of received) {
      const request = claimOf(secret);
      assert(request.claim);
      await patient.acknowledge(secret.id, request.claim);
    }
    for (const secret of once) assert.equal((await patient.open(openingOnce(secret))).kind, "handed-over");
    for (const secret of deleted) assert.equal((await patient.delete(secret.id)).kind, "deleted");
    for (const secret of locked) {
      for (let tries = 0; tries < TEST_LIMITS.passphraseTries; tries++) {
        await patient.open(openingWrong(secret));
      }
    }
    const plain = sealed.map(({ id }) => `{${id}}:plain`);
    for (const key of plain) await master.admin.set(key, "once");
    await until(async () => (await master.admin.wait(1, 100)) === 1);

    await cutLink(replica);
    const unconfirmed = Array.from({ length: 6 }, () => secretOn(client, master));
    for (const secret of unconfirmed) await assert.rejects(hasty.create(secret), unavailable);
    for (const secret of pending) await assert.rejects(hasty.open(claimOf(secret)), unavailable);
    for (const secret of destined) await assert.rejects(hasty.delete(secret.id), unavailable);
    const first = await Promise.all(plain.map((key) => master.admin.getdel(key)));
    await expectFailover(cluster);
    await master.redis.kill();
    await assert.rejects(hasty.open(opening(sealed[0] ?? newSecret())), unavailable);
    await promoted(cluster, replica);

    const second = await Promise.all(plain.map((key) => replica.admin.getdel(key)));
    assert.deepEqual(
      [first, second],
      [plain.map(() => "once"), plain.map(() => "once")],
      "the control fails",
    );

    // Nothing can be confirmed while there is no replica, so nothing is handed over.
    await assert.rejects(hasty.open(opening(sealed[1] ?? newSecret())), unavailable);
    await mendLink(replica);
    await returnAsReplica(master, replica);

    for (const secret of [...claimed, ...once, ...received, ...deleted]) {
      assert.equal((await patiently(() => store.open(opening(secret)))).kind, "ended");
    }
    const again = await Promise.all(claimed.map((secret) => patiently(() => store.open(claimOf(secret)))));
    assert.deepEqual(kinds(again), ["handed-over"], "who was handed it may come again");
    const late = await Promise.all(received.map((secret) => patiently(() => store.open(claimOf(secret)))));
    assert.deepEqual(kinds(late), ["ended"]);
    for (const secret of deleted) {
      assert.equal((await patiently(() => store.read(secret.id)))?.state, "deleted");
    }
    for (const secret of locked) {
      assert.equal((await patiently(() => store.open(opening(secret)))).kind, "locked");
    }
    // Who was refused, and a stranger: one of them.
    for (const secret of [...sealed.slice(2), ...pending, ...destined]) {
      const both = [opening(secret), claimOf(secret)];
      const results = await Promise.all(both.map((request) => patiently(() => store.open(request))));
      assert.equal(results.filter(({ kind }) => kind === "handed-over").length, 1);
    }
    for (const secret of unconfirmed) {
      assert.equal((await patiently(() => store.create(secret))).kind, "created");
      assert.equal((await patiently(() => store.open(opening(secret)))).kind, "handed-over");
    }
  });

  it("in the middle of creating and opening loses nothing confirmed, and has one reader for each", async () => {
    const { master, replica } = await anyPair();
    const known = Array.from({ length: 60 }, () => secretOn(client, master));
    await Promise.all(known.map((secret) => patiently(() => store.create(secret))));
    const added = Array.from({ length: 30 }, () => secretOn(client, master));
    let done = 0;
    let failing: Promise<void> | undefined;
    const fail = async () => {
      await expectFailover(cluster);
      await master.redis.kill();
      await promoted(cluster, replica);
      await returnAsReplica(master, replica);
    };
    const count = () => {
      if (++done === 40) failing = fail();
    };
    const creating = added.map(async (secret) => {
      await pause(done);
      await patiently(() => store.create(secret));
      count();
    });
    const readers = known.map(async (secret) => {
      const claimants = [opening(secret), opening(secret), opening(secret)];
      const results = await Promise.all(
        claimants.map(async (request) => {
          const result = await patiently(() => store.open(request));
          count();
          return result;
        }),
      );
      return results.filter(({ kind }) => kind === "handed-over").length;
    });
    await Promise.all(creating);
    assert.deepEqual([...new Set(await Promise.all(readers))], [1]);
    assert(failing, "the master was killed");
    await failing;
    const opened = await Promise.all(added.map((secret) => patiently(() => store.open(opening(secret)))));
    assert.deepEqual(kinds(opened), ["handed-over"]);
  });
});
