import { setTimeout as sleep } from "node:timers/promises";
import { advanceRedis } from "../../testing/advance-redis.ts";
import { startRedis } from "../../testing/redis-server.ts";
import { type ServerProcess, startServer } from "../../testing/server-process.ts";
import { createPeople, type Fate, type Secret } from "./people.ts";
import { startReceiver } from "./receiver.ts";
import { type Tally, tally } from "./tally.ts";

export interface RigOptions {
  /** How many secrets, and so how many ends. */
  readonly secrets: number;
  /** By opening, deleting and waiting, in turn; milliseconds between two acts. */
  readonly pace: number;
  /** Moves Redis ahead instead of waiting a minute until the first run out. */
  readonly hurry: boolean;
}

export interface Outcome extends Tally {
  /** Requests of people that had no answer, and were sent again. */
  readonly unanswered: number;
  /** Deliveries on their way, of all replicas, when one was killed. */
  readonly underWay: number;
  /** Seconds from the last act until everything had been told. */
  readonly settledAfter: number;
}

const REPLICAS = 3;
/** Seconds: the shortest that there is. */
const TTL = 60;
/** Acts at a time. */
const AT_ONCE = 12;
/** Milliseconds: a delivery that the killed replica had taken comes again by then. */
const PATIENCE = 120_000;
/** Milliseconds from an act until every replica has looked at what changed. */
const LOOK_PATIENCE = 18_000;

async function inTurns<T>(
  items: readonly T[],
  atOnce: number,
  act: (item: T) => Promise<void>,
): Promise<void> {
  const rest = [...items];
  const one = async () => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await act(item);
  };
  await Promise.all(Array.from({ length: atOnce }, one));
}

/**
 * Three replicas on one Redis and a receiver; one is killed when half of the acts are done, in the
 * middle of its requests and deliveries. Resolves when nothing is left to be told.
 */
export async function runRig({ secrets: count, pace, hurry }: RigOptions): Promise<Outcome> {
  const redis = await startRedis();
  const receiver = await startReceiver({ latency: 15, failEach: 40 });
  const servers: ServerProcess[] = [];
  try {
    const env = {
      REDIS_URL: redis.url,
      RATE_LIMIT_CREATE: "100000/1m",
      RATE_LIMIT_OPEN: "100000/1m",
      RATE_LIMIT_MISS: "100000/1m",
      WEBHOOK_ALLOW_CIDRS: "127.0.0.1/32",
      WEBHOOKS: JSON.stringify([
        { name: "rig", url: receiver.url, format: "standard", secret: `whsec_${"A".repeat(32)}` },
      ]),
    };
    for (let n = 0; n < REPLICAS; n++) servers.push(await startServer(env));
    const admin = await redis.client();
    const queue = async () => {
      const [waiting, delayed] = await Promise.all([
        admin.xlen("ws:{notify}:queue:webhook-rig"),
        admin.zcard("ws:{notify}:delayed:webhook-rig"),
      ]);
      return waiting + delayed;
    };

    let up = servers;
    const people = createPeople(() => up.map(({ url }) => url));
    const fates: readonly Fate[] = ["opened", "deleted", "expired"];
    const planned = Array.from({ length: count }, (_, index) => fates[index % 3] ?? "opened");
    const secrets: Secret[] = [];
    const [first, others] = [
      planned.filter((fate) => fate === "expired"),
      planned.filter((fate) => fate !== "expired"),
    ];
    await inTurns(first, AT_ONCE, async (fate) => void secrets.push(await people.create(fate, TTL)));
    const began = performance.now();
    await inTurns(others, AT_ONCE, async (fate) => void secrets.push(await people.create(fate, 3600)));

    // Before anything has happened: it moves what is recorded as well.
    if (hurry) await advanceRedis(admin, TTL - 8);
    else await sleep(Math.max(0, TTL * 1000 - 4_000 - (performance.now() - began)));

    const acts = secrets.filter(({ fate }) => fate !== "expired");
    let done = 0;
    let underWay = 0;
    await inTurns(acts, AT_ONCE, async (secret) => {
      done++;
      if (done === Math.floor(acts.length / 2)) {
        const [victim, ...rest] = up;
        underWay = (
          (await admin.call("XPENDING", "ws:{notify}:queue:webhook-rig", "senders")) as [number]
        )[0];
        await victim?.stop();
        // People find out a little later, by having no answer.
        void sleep(500).then(() => {
          up = rest;
        });
      }
      await (secret.fate === "opened" ? people.open(secret) : people.remove(secret));
      await sleep(pace * AT_ONCE);
    });

    const acted = performance.now();
    const deadline = acted + PATIENCE;
    const expected: string[] = [];
    for (const secret of secrets) {
      for (;;) {
        const events = await people.eventsOf(secret);
        if (events.length > 0) {
          expected.push(...events);
          break;
        }
        await sleep(500);
      }
    }
    const isSettled = async () => {
      const { lost } = tally(expected, receiver.arrivals);
      return lost.length === 0 && (await queue()) === 0;
    };
    while (!(await isSettled()) && performance.now() < deadline) await sleep(200);
    const settledAfter = (performance.now() - acted) / 1000;
    // Whatever else a replica might find to tell.
    await sleep(Math.max(1_000, LOOK_PATIENCE - settledAfter * 1000));
    return {
      ...tally(expected, receiver.arrivals),
      unanswered: people.unanswered(),
      underWay,
      settledAfter,
    };
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
    await receiver.stop();
    await redis.stop();
  }
}
