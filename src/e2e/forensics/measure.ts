import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, openSync, unlinkSync, writeFileSync } from "node:fs";
import { appendFile, rm, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { readBacklog } from "./backlog.ts";
import type { ComposeRedis } from "./compose-redis.ts";
import { type Deployment, type DeploymentOptions, deploy, type Mode } from "./deployment.ts";
import { searchDeleted, searchFile, searchFolder } from "./files.ts";
import type { Marker } from "./markers.ts";
import { churn, type MadeSecret, makeByForm, makeByScript } from "./people.ts";
import { searchMemory } from "./process-memory.ts";
import { createSearcher, type Finds, type Search, type Searcher } from "./search.ts";

export type PlaceKind = "memory" | "disk" | "log" | "slow log" | "backlog";

/** Where something may stay behind. */
export interface Place {
  readonly kind: PlaceKind;
  /** "Node.js", or the Redis' name. */
  readonly owner: string;
  /** Whether this Redis is one that keeps shares, and in memory only. */
  readonly holdsShares: boolean;
  look(searcher: Searcher, search: Search): Promise<void>;
}

function placesOfRedis(redis: ComposeRedis, holdsShares: boolean): Place[] {
  const { admin, pid, disk, log, host, port, login } = redis;
  const place = (kind: PlaceKind, look: Place["look"]): Place => ({
    kind,
    owner: redis.name,
    holdsShares,
    look,
  });
  return [
    place("memory", async (searcher, search) => searchMemory(pid, searcher, search)),
    place("backlog", async (_, search) => search.look(await readBacklog(admin, { host, port }, login))),
    place("slow log", async (_, search) => {
      const entries = (await admin.callBuffer("SLOWLOG", "GET", "-1")) as unknown;
      for (const text of [entries].flat(9)) if (text instanceof Buffer) search.look(text);
    }),
    place("disk", async (searcher, search) => {
      searchFolder(disk, searcher, search);
      searchDeleted(pid, searcher, search);
    }),
    place("log", async (searcher, search) => searchFile(log, searcher, search)),
  ];
}

function placesOf({ server, redis, shareHolders }: Deployment): Place[] {
  const { pid = 0 } = server;
  const node = (kind: PlaceKind, look: Place["look"]): Place => ({
    kind,
    owner: "Node.js",
    holdsShares: false,
    look,
  });
  return [
    node("memory", async (searcher, search) => searchMemory(pid, searcher, search)),
    node("disk", async (searcher, search) => searchDeleted(pid, searcher, search)),
    node("log", async (_, search) => search.look(Buffer.from(server.output()))),
    ...redis.flatMap((it) => placesOfRedis(it, shareHolders.includes(it))),
  ];
}

/** When a look was taken, in the order of time. */
export const PHASES = ["sealed", "opened", "after the window", "after use"] as const;
export type Phase = (typeof PHASES)[number];

export interface Look {
  readonly place: Place;
  readonly phase: Phase;
  /** Seconds since the last secret was opened; 0 before. */
  readonly age: number;
  readonly finds: Finds;
}

export interface Measured {
  readonly mode: Mode;
  readonly looks: readonly Look[];
  /** Places in which the search did not find what was put there for it to find. */
  readonly blind: readonly string[];
}

export interface MeasureOptions extends DeploymentOptions {
  /** Secrets of each kind. */
  readonly secrets: number;
  readonly assisted: number;
  /** Rounds of ordinary use before the last look. */
  readonly rounds: number;
}

async function lookAt(place: Place, searcher: Searcher): Promise<Finds> {
  const search = searcher.begin();
  await place.look(searcher, search);
  return search.finds();
}

async function lookEverywhere(places: readonly Place[], searcher: Searcher): Promise<[Place, Finds][]> {
  const all: [Place, Finds][] = [];
  for (const place of places) all.push([place, await lookAt(place, searcher)]);
  return all;
}

/** A request that stops in the middle of its body, so that the server has to keep what came. */
async function sendHalf(port: number, bytes: Buffer): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.write(
    `POST /api/v1/secrets HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n`,
  );
  socket.write(bytes);
  return socket;
}

/**
 * The search itself, put to the test: a marker is put into each place, and has to be found there. A
 * place where it is not found says nothing by being empty.
 */
async function findBlindSpots({ server, redis }: Deployment, places: readonly Place[]): Promise<string[]> {
  const bytes = randomBytes(32);
  const searcher = createSearcher([{ kind: "control", secret: 0, bytes }]);
  const held = await sendHalf(server.port, bytes);
  // The server has it when it comes to read it; where it never does, the look below says so.
  const memory = places.find(({ owner, kind }) => owner === "Node.js" && kind === "memory");
  for (let looks = 0; memory && looks < 40; looks++) {
    if ((await lookAt(memory, searcher)).count("control") === 1) break;
    await wait(250);
  }
  const deleted = join(redis[0]?.disk ?? "/tmp", "waxseal-forensics-deleted");
  writeFileSync(deleted, bytes);
  const open = openSync(deleted, "r");
  unlinkSync(deleted);
  for (const { admin, disk, log } of redis) {
    if ((await admin.role())[0] === "master") {
      await admin.config("SET", "slowlog-max-len", "16");
      await admin.config("SET", "slowlog-log-slower-than", "0");
      await admin.set("ws:control", bytes);
      await admin.config("SET", "slowlog-log-slower-than", "-1");
    } else {
      await admin.config("SET", "slowlog-max-len", "16");
      await admin.config("SET", "slowlog-log-slower-than", "0");
      await admin.get(bytes);
      await admin.config("SET", "slowlog-log-slower-than", "-1");
    }
    await writeFile(join(disk, "control"), bytes);
    await appendFile(log, bytes.toString("base64url"));
  }
  try {
    const blind: string[] = [];
    for (const [{ kind, owner }, finds] of await lookEverywhere(places, searcher)) {
      if (owner === "Node.js" && kind !== "memory") continue; // below
      if (kind === "backlog" && !redis.some(({ name }) => name === "replica")) continue; // there is none
      if (finds.count("control") !== 1) blind.push(`${owner}: ${kind}`);
    }
    const [ownFiles, ownLog] = [searcher.begin(), searcher.begin()];
    searchDeleted(process.pid, searcher, ownFiles);
    ownLog.look(Buffer.from(`${server.output()}${bytes.toString("hex")}`));
    if (ownFiles.finds().count("control") !== 1) blind.push("Node.js: disk");
    if (ownLog.finds().count("control") !== 1) blind.push("Node.js: log");
    return blind;
  } finally {
    closeSync(open);
    held.destroy();
    for (const { disk } of redis) await rm(join(disk, "control"));
  }
}

/** Makes secrets, opens them, and looks for what is left of them before and after. */
export async function measure(mode: Mode, options: MeasureOptions): Promise<Measured> {
  const deployment = await deploy(mode, options);
  try {
    const { url } = deployment.server;
    const places = placesOf(deployment);
    const made: MadeSecret[] = [];
    for (let i = 0; i < options.secrets; i++) {
      made.push(await makeByScript(url, i), await makeByScript(url, i, { acknowledge: false }));
    }
    for (let i = 0; i < options.assisted; i++) made.push(await makeByForm(url, i));
    const markers: Marker[] = made.flatMap((secret) => [...secret.markers]);
    const searcher = createSearcher(markers);
    const looks: Look[] = [];
    let opened: number | undefined;
    const look = async (phase: Phase) => {
      for (const [place, finds] of await lookEverywhere(places, searcher)) {
        const age = opened === undefined ? 0 : Math.round((performance.now() - opened) / 1000);
        looks.push({ place, phase, age, finds });
      }
    };
    await deployment.writeToDisk();
    await look("sealed");
    for (const { open } of made) await open();
    opened = performance.now();
    await look("opened");
    await wait((options.window + 2) * 1000);
    await look("after the window");
    await churn(url, options.rounds);
    await deployment.writeToDisk();
    await look("after use");
    return { mode, looks, blind: await findBlindSpots(deployment, places) };
  } finally {
    await deployment.stop();
  }
}
