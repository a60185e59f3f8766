import { randomBytes } from "node:crypto";
import type { Redis } from "ioredis";
import { CLUSTER_COMMANDS, COMMANDS, trialCall } from "../store/redis-commands.ts";
import { changesChannel } from "../store/redis-keys.ts";
import { type Check, ok, problem, warning } from "./finding.ts";
import type { RedisSubject } from "./redis-subject.ts";

/** Refused by the ACL, or by Redis itself (`enable-debug-command no`). */
const REFUSED = /^NOPERM|command not allowed/;
/** Keys that KEYS may look at for us: some milliseconds. More, and it would hold up everybody. */
const MAX_KEYS = 100_000;

type Call = readonly string[];

async function isRefused(client: Redis, [command = "", ...args]: Call): Promise<boolean> {
  try {
    await client.call(command, ...args);
    return false;
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "ReplyError") throw error;
    return REFUSED.test(error.message);
  }
}

/** On a connection of its own, which is closed at once: what MONITOR shows is thrown away. */
async function monitorIsRefused(client: Redis): Promise<boolean> {
  const watching = client.duplicate({ lazyConnect: true });
  watching.on("error", () => {}); // the command fails with it
  try {
    await watching.connect();
    return await isRefused(watching, ["MONITOR"]);
  } finally {
    watching.disconnect();
  }
}

async function countKeys(client: Redis): Promise<number> {
  const text = await client.info("keyspace").catch(() => "");
  return [...text.matchAll(/keys=(\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** Each has no effect where it is allowed. */
const PROBES: Readonly<Record<string, Call>> = {
  CONFIG: ["CONFIG", "SET", "waxseal-doctor-no-such-parameter", "1"],
  DEBUG: ["DEBUG", "HELP"],
  KEYS: ["KEYS", "ws:doctor-no-such-key"],
};

export const checkForbidden: Check<RedisSubject> = {
  name: "ACL",
  async run({ client }) {
    const allowed: string[] = [];
    if (!(await monitorIsRefused(client))) allowed.push("MONITOR");
    for (const [name, call] of Object.entries(PROBES)) {
      if (name === "KEYS" && (await countKeys(client)) > MAX_KEYS) continue;
      if (!(await isRefused(client, call))) allowed.push(name);
    }
    if (allowed.length === 0) return [ok("its user may not watch, configure, debug or list")];
    return [
      warning(
        `its user may run ${allowed.join(", ")}, which Waxseal never does and an intruder would. ` +
          "Give it a user of its own; the README has the line.",
      ),
    ];
  },
};

/** On keys that nobody else has and that are gone in a second. */
export const checkNeeded: Check<RedisSubject> = {
  name: "commands",
  async run({ client, isNode, keyPrefix }) {
    // One hash tag: all of them lie on one node of a Cluster. That another node says MOVED is no refusal.
    const own = `ws:{doctor-${randomBytes(8).toString("hex")}}`;
    const [text, hash, sorted, stream] = [`${own}:text`, `${own}:hash`, `${own}:sorted`, `${own}:stream`];
    const channel = changesChannel(keyPrefix);
    const keys = { channel, text, hash, sorted, stream };
    const refused: string[] = [];
    for (const command of isNode ? [...COMMANDS, ...CLUSTER_COMMANDS] : COMMANDS) {
      const call = trialCall(command, keys);
      if (call && (await isRefused(client, call))) refused.push(command.name);
    }
    if (refused.length === 0) return [ok("its user may do all that Waxseal does")];
    const list = refused.map((name) => `+${name}`).join(" ");
    return [
      problem(
        `its user may not do all that Waxseal does. Allow it: ${list}, on keys ~${keyPrefix}ws:* and the channel &${channel}.`,
      ),
    ];
  },
};
