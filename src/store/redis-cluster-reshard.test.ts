import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Cluster } from "ioredis";
import { formatId } from "../envelope/tokens.ts";
import {
  type ClusterNode,
  connectToCluster,
  connectToClusterPatiently,
  cutLink,
  mendLink,
  nodesOf,
  openClusterStore,
  promoted,
} from "../testing/cluster-store.ts";
import { bytes, newSecret, opening, openingOnce } from "../testing/new-secret.ts";
import { patiently } from "../testing/patiently.ts";
import { expectFailover, NO_FAILOVER, startCluster, type TestCluster } from "../testing/redis-cluster.ts";
import { until } from "../testing/until.ts";
import { blobKey, DUE_KEY, recordKey } from "./redis-keys.ts";
import { slotOf } from "./redis-nodes.ts";
import { type NewSecret, type OpenResult, type Store, StoreUnavailableError } from "./store.ts";

const unavailable = (error: unknown) => error instanceof StoreUnavailableError;
const slotFor = ({ id }: NewSecret) => slotOf(recordKey(id));

/** A slot on its way from one master to another, and a hand on each step. */
class Move {
  readonly slot: number;
  readonly from: ClusterNode;
  readonly to: ClusterNode;
  constructor(slot: number, from: ClusterNode, to: ClusterNode) {
    this.slot = slot;
    this.from = from;
    this.to = to;
  }
  async begin(): Promise<void> {
    await this.to.admin.cluster("SETSLOT", this.slot, "IMPORTING", this.from.id);
    await this.from.admin.cluster("SETSLOT", this.slot, "MIGRATING", this.to.id);
  }
  async keys(): Promise<string[]> {
    const keys = await this.from.admin.cluster("GETKEYSINSLOT", this.slot, 1_000);
    return Array.isArray(keys) ? keys.map(String) : [];
  }
  async carry(key: string): Promise<void> {
    await this.from.admin.call("MIGRATE", "127.0.0.1", `${this.to.redis.port}`, key, "0", "5000");
  }
  async carryAll(): Promise<void> {
    for (const key of await this.keys()) await this.carry(key);
  }
  /**
   * The new owner first and then every master, as redis-cli does it: who hears of it by gossip only
   * does not believe it where the old owner has got another slot, and a higher epoch, meanwhile.
   */
  async end(masters: readonly ClusterNode[]): Promise<void> {
    await this.carryAll();
    for (const node of [this.to, this.from, ...masters]) {
      await node.admin.cluster("SETSLOT", this.slot, "NODE", this.to.id);
    }
  }
}

/** How often nodes have said this, as INFO errorstats counts it. */
async function countErrors(nodes: readonly ClusterNode[], name: string): Promise<number> {
  const infos = await Promise.all(nodes.map(({ admin }) => admin.info("errorstats")));
  return infos.reduce(
    (sum, info) => sum + Number(new RegExp(`errorstat_${name}:count=(\\d+)`).exec(info)?.[1] ?? 0),
    0,
  );
}

describe("A Cluster that is being resharded", () => {
  let cluster: TestCluster;
  let client: Cluster;
  let store: Store;
  /** Soon gives up: for what can't be done. */
  let hasty: Store;
  /** Waits as long as it takes on a busy machine: for what can. */
  let patient: Store;

  before(async () => {
    // A replica that was without its master for long takes over all the same.
    const args = ["--cluster-replica-validity-factor", "0"];
    cluster = await startCluster({ replicas: 1, args, nodeTimeout: NO_FAILOVER });
    client = await connectToCluster(cluster);
    store = await openClusterStore(cluster);
    hasty = await openClusterStore(cluster, { waitTimeout: 300 });
    const patientClient = await connectToClusterPatiently(cluster);
    patient = await openClusterStore(cluster, { client: patientClient, waitTimeout: 20_000 });
  });
  after(async () => {
    client?.disconnect();
    await Promise.all([store?.close(), hasty?.close(), patient?.close()]);
    await cluster?.stop();
  });

  async function masters(): Promise<ClusterNode[]> {
    const slots = [0, 8_000, 16_000];
    return (await Promise.all(slots.map((slot) => nodesOf(cluster, slot)))).map(({ master }) => master);
  }
  async function moveOf(secret: NewSecret): Promise<Move> {
    const { master } = await nodesOf(cluster, slotFor(secret));
    const others = (await masters()).filter(({ id }) => id !== master.id);
    const [to] = others;
    assert(to);
    return new Move(slotFor(secret), master, to);
  }

  it("opens by ASK what has been moved, and waits for the replicas of both nodes", async () => {
    const secret = newSecret();
    await patient.create(secret);
    const move = await moveOf(secret);
    await move.begin();
    await move.carryAll();
    const asked = await countErrors([move.from], "ASK");
    const { replica } = await nodesOf(cluster, slotFor(secret));
    const request = opening(secret);
    await cutLink(replica);
    await assert.rejects(hasty.open(request), unavailable);
    await mendLink(replica);
    await until(async () => (await replica.admin.info("replication")).includes("master_link_status:up"));
    const opened = await patient.open(request);
    assert(opened.kind === "handed-over");
    assert.deepEqual(opened.share, secret.share);
    assert((await countErrors([move.from], "ASK")) > asked);
    assert.equal((await patient.open(opening(secret))).kind, "ended");
    await move.end(await masters());
    assert.equal((await patient.open(opening(secret))).kind, "ended");
    assert.deepEqual(await patient.open(request), { kind: "handed-over", share: secret.share, first: false });
  });

  it("refuses what lies half here and half there, for less than two seconds, and does it afterwards", async () => {
    // Where moving took longer than refusals are followed, another one is moved.
    await until(async () => {
      const secret = newSecret();
      await patient.create(secret);
      const move = await moveOf(secret);
      await move.begin();
      await move.carry(recordKey(secret.id));
      const refusals = () => countErrors([move.from, move.to], "TRYAGAIN");
      const refused = await refusals();
      for (const request of [opening(secret), openingOnce(secret)]) {
        await assert.rejects(hasty.open(request), unavailable);
      }
      await assert.rejects(hasty.delete(secret.id), unavailable);
      const before = await refusals();
      assert(before > refused);
      const meanwhile = store.open(opening(secret)).catch((error: unknown) => {
        assert(unavailable(error), String(error));
        return undefined;
      });
      await until(async () => (await refusals()) > before);
      await move.carry(blobKey(secret.id));
      const opened = await meanwhile;
      await move.end(await masters());
      if (!opened) return false;
      assert.equal(opened.kind, "handed-over");
      assert.equal((await patient.open(opening(secret))).kind, "ended");
      return true;
    });
  });

  function secretIn(slot: number): NewSecret {
    for (;;) {
      const id = formatId(bytes(16));
      if (slotOf(recordKey(id)) === slot) return newSecret({ id });
    }
  }

  /** As it says itself. */
  async function ownerOf(slot: number, all: readonly ClusterNode[]): Promise<ClusterNode> {
    for (const node of all) {
      const ranges = await node.admin.cluster("SLOTS");
      const range = ranges.find(([from, to]) => from <= slot && slot <= to);
      if (range?.[2]?.[1] === node.redis.port) return node;
    }
    throw new Error("The slot has no owner.");
  }

  it("goes on creating, opening, acknowledging and deleting while slots wander to and fro", async () => {
    const wanderers = [...new Set([slotFor(newSecret()), slotFor(newSecret())]), slotOf(DUE_KEY)];
    const secrets = Array.from({ length: 20 }, (_, index) => secretIn(wanderers[index % 2] ?? 0));
    const before = {
      ask: await countErrors(await masters(), "ASK"),
      moved: await countErrors(await masters(), "MOVED"),
      again: await countErrors(await masters(), "TRYAGAIN"),
    };
    let busy = true;
    /** One slot at a time: where several move at once, nodes come to disagree about who has which. */
    async function wander(): Promise<void> {
      for (let round = 0; busy || round < 2; round++) {
        for (const slot of wanderers) {
          const from = await ownerOf(slot, all);
          const to = all[(all.indexOf(from) + 1) % all.length];
          assert(to);
          const move = new Move(slot, from, to);
          await move.begin();
          for (const key of await move.keys()) {
            await move.carry(key);
            await pause(5);
          }
          await pause(20);
          await move.end(all);
        }
      }
    }
    const all = await masters();
    const wandering = wander();
    const acting = Promise.all(
      secrets.map(async (secret, index) => {
        await pause(index * 40);
        await patiently(() => store.create(secret));
        assert.equal((await patiently(() => store.read(secret.id)))?.state, "sealed");
        if (index % 4 === 3) {
          assert.equal((await patiently(() => store.delete(secret.id))).kind, "deleted");
          assert.equal((await patiently(() => store.open(opening(secret)))).kind, "ended");
          return;
        }
        const requests = [opening(secret), opening(secret)];
        if (index % 4 === 2) requests.push(opening(secret));
        const results = await Promise.all(requests.map((request) => patiently(() => store.open(request))));
        assert.equal(results.filter(({ kind }) => kind === "handed-over").length, 1);
        const winner = requests[results.findIndex(({ kind }) => kind === "handed-over")];
        assert(winner);
        assert.equal(
          (await patiently(() => store.acknowledge(secret.id, winner.claim))).kind,
          "acknowledged",
        );
        assert.equal((await patiently(() => store.open(winner))).kind, "ended");
      }),
    );
    await acting.finally(() => {
      busy = false;
    });
    await wandering;
    for (const [index, secret] of secrets.entries()) {
      const state = (await patiently(() => store.read(secret.id)))?.state;
      assert.equal(state, index % 4 === 3 ? "deleted" : "opened");
    }
    assert((await countErrors(all, "ASK")) > before.ask, "ASK came");
    assert((await countErrors(all, "MOVED")) > before.moved, "MOVED came");
    assert((await countErrors(all, "TRYAGAIN")) > before.again, "TRYAGAIN came");
  });

  it("has no reader twice where the old owner fails before its replica knows that the slot was leaving", async () => {
    const kept = newSecret();
    await patient.create(kept);
    const move = await moveOf(kept);
    const { replica } = await nodesOf(cluster, slotFor(kept));
    const plain = `{${kept.id}}:plain`;
    await move.from.admin.set(plain, "once");
    await until(async () => (await move.from.admin.wait(1, 100)) === 1);
    await move.begin();
    await cutLink(replica);
    await move.carryAll();
    const [, first] = await Promise.all([move.to.admin.asking(), move.to.admin.getdel(plain)]);
    const request = opening(kept);
    await assert.rejects(hasty.open(request), unavailable);
    // At the new owner the claim stands; the replica of the old one has the secret sealed.
    await expectFailover(cluster);
    await move.from.redis.kill();
    await until(async () => (await replica.admin.info("replication")).includes("role:master"));
    await move.to.admin.cluster("SETSLOT", move.slot, "STABLE");
    await promoted(cluster, replica);
    assert.deepEqual([first, await replica.admin.getdel(plain)], ["once", "once"], "the control fails");
    await mendLink(replica);
    await move.from.redis.restart();
    await until(async () => (await replica.admin.info("replication")).includes("state=online"));
    const results: OpenResult[] = [];
    for (const claim of [opening(kept), request]) {
      await until(() =>
        store.open(claim).then(
          (result) => results.push(result) > 0,
          (error: unknown) => !unavailable(error),
        ),
      );
    }
    assert.equal(results.filter(({ kind }) => kind === "handed-over").length, 1);
  });
});
