import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { newSecret, opening, openingOnce } from "../testing/new-secret.ts";
import { connectPatiently, openRedisStore } from "../testing/open-redis-store.ts";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { startTcpProxy, type TcpProxy } from "../testing/tcp-proxy.ts";
import { until } from "../testing/until.ts";
import { type NewSecret, type Store, StoreUnavailableError } from "./store.ts";

/** Connections that are cut, one time each for every kind of open that follows. */
const CUTS = 1_000;
/** They are cut side by side, each with a store, a line and a turn of its own. */
const LANES = 20;

interface Lane {
  readonly store: Store;
  readonly proxy: TcpProxy;
}

/** Fails where somebody reads what was read before. */
class Readers {
  readonly count = new Map<string, number>();
  note(secret: NewSecret, share: Uint8Array): void {
    assert.deepEqual(share, secret.share);
    this.count.set(secret.id, (this.count.get(secret.id) ?? 0) + 1);
    assert.equal(this.count.get(secret.id), 1, "read twice");
  }
}

/** Both connections, one after the other, so that nothing is under way afterwards: a deletion goes the way of an open. */
async function comesBack(store: Store): Promise<void> {
  const works = async (act: () => Promise<unknown>) => {
    try {
      await act();
      return true;
    } catch {
      return false;
    }
  };
  await until(() => works(() => store.ping()));
  await until(() => works(() => store.delete(newSecret().id)));
}

/** What Redis says to an open, in order. Each is told from the answers to withdrawals that go on meanwhile. */
const ANSWERS = {
  script: (answer: Buffer) => answer.includes("won"),
  wait: (answer: Buffer) => answer.toString("latin1") === ":1\r\n",
  share: (answer: Buffer, { share }: NewSecret) => answer.includes(Buffer.from(share)),
} as const;
type Lost = keyof typeof ANSWERS;

/** Redis does what it was asked, and this answer cuts the line instead of arriving. */
async function loseAnswer(
  { store, proxy }: Lane,
  secret: NewSecret,
  lost: Lost,
  act: () => Promise<unknown>,
): Promise<void> {
  proxy.swallowAnswerLike((answer) => ANSWERS[lost](answer, secret));
  await assert.rejects(act, StoreUnavailableError);
  proxy.mend();
  await comesBack(store);
}

describe(`${CUTS} connections, each cut after Redis has executed an open and before its answer arrives`, () => {
  let server: TestRedis;
  let replica: TestRedis;
  let direct: Store;
  before(async () => {
    server = await startRedis();
    replica = await startRedis("--replicaof", "127.0.0.1", String(server.port));
    const admin = await replica.client();
    await until(async () => (await admin.info("replication")).includes("master_link_status:up"));
    direct = await openRedisStore(server.port);
  });
  after(async () => {
    await direct.close();
    await Promise.all([server.stop(), replica.stop()]);
  });

  async function withLanes(waitReplicas: number, cut: (lane: Lane, lost: Lost) => Promise<void>) {
    const kinds: readonly Lost[] = waitReplicas === 0 ? ["script", "share"] : ["script", "wait", "share"];
    await Promise.all(
      Array.from({ length: LANES }, async () => {
        const proxy = await startTcpProxy(server.port);
        const client = await connectPatiently(proxy.port);
        const store = await openRedisStore(proxy.port, { client, waitReplicas, waitTimeout: 5_000 });
        await comesBack(store);
        try {
          for (let index = 0; index < CUTS / LANES; index++) {
            await cut({ store, proxy }, kinds[index % kinds.length] ?? "script");
          }
        } finally {
          await store.close();
          await proxy.close();
        }
      }),
    );
  }

  for (const waitReplicas of [0, 1]) {
    const how = waitReplicas === 0 ? "on the one connection" : "on a connection that waits for a replica";

    it(`lose no secret to its claimant within the window and show none to two, ${how}`, async () => {
      const readers = new Readers();
      let cuts = 0;
      await withLanes(waitReplicas, async (lane, lost) => {
        const secret = newSecret();
        await direct.create(secret);
        const request = opening(secret);
        await loseAnswer(lane, secret, lost, () => lane.store.open(request));
        cuts++;
        const stranger = await direct.open(opening(secret));
        assert.ok(stranger.kind === "ended" && stranger.state === "opened");
        const again = await direct.open(request);
        assert.ok(again.kind === "handed-over");
        readers.note(secret, again.share);
        assert.equal((await direct.acknowledge(secret.id, request.claim)).kind, "acknowledged");
        assert.equal((await direct.open(request)).kind, "ended");
      });
      assert.equal(cuts, CUTS);
      assert.equal(readers.count.size, CUTS);
    });

    it(`show no secret twice that is opened without a claim, and say which are lost, ${how}`, async () => {
      const readers = new Readers();
      const ends = { sealed: 0, lost: 0 };
      await withLanes(waitReplicas, async (lane, lost) => {
        const secret = newSecret();
        await direct.create(secret);
        await loseAnswer(lane, secret, lost, () => lane.store.open(openingOnce(secret)));
        // Nobody has it, and so the receipt must not say for long that somebody has.
        let state = "opened";
        await until(async () => {
          state = (await direct.read(secret.id))?.state ?? "missing";
          return state !== "opened";
        });
        assert.ok(state === "sealed" || state === "lost", state);
        // Only the answer that carries the share takes the share with it.
        assert.equal(state, lost === "share" ? "lost" : "sealed");
        ends[state]++;
        const next = await direct.open(openingOnce(secret));
        assert.equal(next.kind, state === "sealed" ? "handed-over" : "ended");
        if (next.kind === "handed-over") readers.note(secret, next.share);
        assert.equal((await direct.open(openingOnce(secret))).kind, "ended");
      });
      assert.equal(ends.sealed + ends.lost, CUTS);
      assert.equal(readers.count.size, ends.sealed);
    });
  }
});
