import { setTimeout as sleep } from "node:timers/promises";
import { advanceRedis } from "../../testing/advance-redis.ts";
import { startRedis } from "../../testing/redis-server.ts";
import { type ServerProcess, startServer } from "../../testing/server-process.ts";
import { startTcpProxy } from "../../testing/tcp-proxy.ts";
import { eventually } from "../faults/eventually.ts";
import { createPeople, type Fate, type Secret } from "./people.ts";
import { startReceiver } from "./receiver.ts";
import { type Tally, tally } from "./tally.ts";

export interface RigOptions {
  /** How many secrets, and so how many ends: by opening, deleting and waiting, in turn. */
  readonly secrets: number;
  /** Milliseconds between two acts. */
  readonly pace: number;
  /** Moves Redis ahead instead of waiting a minute until the first run out. */
  readonly hurry: boolean;
}

export interface Outcome extends Tally {
  /** Deliveries that the receiver had not answered when one of the replicas was killed; up to four are its. */
  readonly held: number;
  /** Requests of people that had no answer. */
  readonly unanswered: number;
  /** Secrets of which nobody asked again, and of these, how many had ended all the same. */
  readonly leftAlone: number;
  readonly endedUnheard: number;
  /** Seconds from the last act until everything had been told. */
  readonly settledAfter: number;
}

/** Seconds: the shortest that there is. */
const TTL = 60;
/** Acts at a time. */
const AT_ONCE = 24;
/** Milliseconds in which the others have taken over everything, several times over. */
const PATIENCE = 120_000;
/** Milliseconds from an act until every replica has looked at what changed. */
const LOOK_PATIENCE = 18_000;
/** Milliseconds that the victim waits for answers of Redis: fewer than it takes it to give up. */
const HUNG = 800;

async function inTurns<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const rest = [...items];
  const one = async () => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await act(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

/**
 * Three replicas on one Redis and a receiver. Half-way one of them is killed, at the worst moment that
 * there is: the receiver has not answered what it delivers, Redis has done what it asked for and it does
 * not know, and every other one of those whom it does not answer gives up. Resolves when nothing is
 * left to be told.
 */
export async function runRig({ secrets: count, pace, hurry }: RigOptions): Promise<Outcome> {
  const redis = await startRedis();
  const line = await startTcpProxy(redis.port);
  const receiver = await startReceiver({ latency: 15, failEach: 40 });
  const servers: ServerProcess[] = [];
  try {
    const env = {
      RATE_LIMIT_CREATE: "100000/1m",
      RATE_LIMIT_OPEN: "100000/1m",
      RATE_LIMIT_MISS: "100000/1m",
      WEBHOOK_ALLOW_CIDRS: "127.0.0.1/32",
      WEBHOOKS: JSON.stringify([
        { name: "rig", url: receiver.url, format: "standard", secret: `whsec_${"A".repeat(32)}` },
      ]),
    };
    const victim = await startServer({ ...env, REDIS_URL: `redis://127.0.0.1:${line.port}` });
    servers.push(victim);
    for (let n = 0; n < 2; n++) servers.push(await startServer({ ...env, REDIS_URL: redis.url }));
    const admin = await redis.client();

    let up = servers;
    const people = createPeople(() => up.map(({ url }) => url));
    const fates: readonly Fate[] = ["opened", "deleted", "expired"];
    const planned = Array.from({ length: count }, (_, index) => fates[index % 3] ?? "opened");
    const secrets: Secret[] = [];
    const createAll = (wanted: readonly Fate[], ttl: number) =>
      inTurns(wanted, async (fate) => void secrets.push(await people.create(fate, ttl)));
    await createAll(
      planned.filter((fate) => fate === "expired"),
      TTL,
    );
    const began = performance.now();
    await createAll(
      planned.filter((fate) => fate !== "expired"),
      3600,
    );
    // Before anything has happened, for it moves what is recorded as well.
    if (hurry) await advanceRedis(admin, TTL - 8);
    else await sleep(Math.max(0, TTL * 1000 - 4_000 - (performance.now() - began)));

    let held = 0;
    async function kill(): Promise<void> {
      receiver.hold();
      // Four of each replica at most, so that one is the victim's at least.
      await eventually("deliveries of every replica wait for an answer", () => receiver.held() > 8);
      held = receiver.held();
      people.loseHeart();
      line.holdAnswers(AT_ONCE / 2);
      await sleep(HUNG);
      await victim.stop();
      line.cut();
      receiver.release();
      // People find out a little later, by having no answer.
      await sleep(HUNG);
      up = servers.filter((server) => server !== victim);
      people.takeHeart();
    }

    const acts = secrets.filter(({ fate }) => fate !== "expired");
    const leftAlone: Secret[] = [];
    let killing: Promise<void> | undefined;
    let done = 0;
    await inTurns(acts, async (secret) => {
      if (++done === Math.floor(acts.length / 2)) killing = kill();
      if (!(await people.end(secret))) leftAlone.push(secret);
      await sleep(pace * AT_ONCE);
    });
    await killing;
    const acted = performance.now();

    const endedUnheard: Secret[] = [];
    for (const secret of leftAlone) {
      if ((await people.eventsOf(secret)).length > 0) endedUnheard.push(secret);
      else await people.end(secret);
    }
    const expected: string[] = [];
    for (const secret of secrets) {
      let events = await people.eventsOf(secret);
      for (; events.length === 0; events = await people.eventsOf(secret)) await sleep(500);
      expected.push(...events);
    }
    const isSettled = async () => {
      if (tally(expected, receiver.arrivals).lost.length > 0) return false;
      const waiting = await admin.xlen("ws:{notify}:queue:webhook-rig");
      return waiting + (await admin.zcard("ws:{notify}:delayed:webhook-rig")) === 0;
    };
    while (!(await isSettled()) && performance.now() < acted + PATIENCE) await sleep(200);
    const settledAfter = (performance.now() - acted) / 1000;
    // Whatever else a replica might find to tell.
    await sleep(Math.max(1_000, LOOK_PATIENCE - settledAfter * 1000));
    return {
      ...tally(expected, receiver.arrivals),
      held,
      unanswered: people.unanswered(),
      leftAlone: leftAlone.length,
      endedUnheard: endedUnheard.length,
      settledAfter,
    };
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
    await Promise.all([receiver.stop(), line.close()]);
    await redis.stop();
  }
}
