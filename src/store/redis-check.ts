import type { Cluster, Redis } from "ioredis";
import type { StoreBudget } from "../config/config.ts";
import { openRedis } from "./connect-redis.ts";
import { ask } from "./redis-faults.ts";
import { type Info, numberIn, parseInfo } from "./redis-info.ts";
import { budgetOf } from "./redis-memory.ts";
import { mastersOf } from "./redis-nodes.ts";
import { StorePreconditionError } from "./store.ts";

/** GETEX and GETDEL came with it; scripts replicate by their effects since 5. */
const MIN_VERSION = [6, 2] as const;

/** One sentence or two with what to set, or undefined. `role` is how the sentence calls this Redis. */
export type RedisProblem = (info: Info, role: string) => string | undefined;

/** Where commands go astray, since what answers is not what the address says. */
export const modeProblem: RedisProblem = (info, role) => {
  const mode = info.get("redis_mode");
  if (mode === "cluster")
    return `${role} is a node of a Cluster. Write redis+cluster:// in place of redis:// in its address.`;
  if (mode === "sentinel")
    return `${role} is a Sentinel. Write redis+sentinel://host:26379/name-of-the-master as its address.`;
  return undefined;
};

export const versionProblem: RedisProblem = (info, role) => {
  const version = info.get("redis_version");
  if (version === undefined) {
    return `${role} does not tell its version. Allow its user the INFO command (ACL: +info).`;
  }
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > MIN_VERSION[0] || (major === MIN_VERSION[0] && minor >= MIN_VERSION[1])) return undefined;
  return `${role} is version ${version}. Use Redis ${MIN_VERSION.join(".")} or later, or Valkey.`;
};

export const evictionProblem: RedisProblem = (info, role) => {
  const policy = info.get("maxmemory_policy");
  if (policy === "noeviction") return undefined;
  return (
    `${role} may evict secrets to save memory (maxmemory-policy ${policy}). ` +
    'Set "maxmemory-policy noeviction" in its configuration.'
  );
};

export const roleProblem: RedisProblem = (info, role) => {
  if (info.get("role") !== "slave") return undefined;
  return `${role} is a replica and takes no writes. Give the address of its master, or of the Sentinels.`;
};

export const persistenceDoubt: RedisProblem = (info, role) => {
  const startedAt = Date.now() / 1000 - numberIn(info, "uptime_in_seconds");
  const hasSnapshots = info.get("save") ? true : numberIn(info, "rdb_last_save_time") > startedAt + 60;
  if (info.get("aof_enabled") !== "1" && !hasSnapshots) return undefined;
  return (
    `${role} writes to disk, so what it deletes may stay readable there. ` +
    'Set save "" and "appendonly no", or keep the shares in a second Redis in memory only (KEYRING_REDIS_URL).'
  );
};

export function memoryDoubt(info: Info, role: string, budget: StoreBudget | undefined): string | undefined {
  if (info.get("maxmemory") !== "0" || budget?.kind === "size") return undefined;
  return (
    `${role} has no memory limit: when memory runs out, the system may end it. ` +
    "Set maxmemory to what it may use, or STORE_BUDGET to what secrets may take of it, such as 256MiB."
  );
}

/** A budget that Redis can't give is no mistake in itself, but perhaps not what somebody believes in. */
export function budgetDoubt(info: Info, role: string, budget: StoreBudget | undefined): string | undefined {
  const allowed = budgetOf(numberIn(info, "maxmemory"), budget);
  if (budget?.kind !== "size" || allowed === undefined || budget.bytes <= allowed) return undefined;
  const mib = (bytes: number) => `${Math.floor(bytes / 2 ** 20)} MiB`;
  return (
    `${role} gives less than STORE_BUDGET (${mib(budget.bytes)}): new secrets are refused from ${mib(allowed)} on. ` +
    "Raise maxmemory, or make STORE_BUDGET smaller or a percentage of it."
  );
}

/** How many replicas must confirm, and the setting that says so. */
export interface Waiting {
  readonly replicas: number;
  readonly setting: "REDIS_WAIT_REPLICAS" | "KEYRING_REDIS_WAIT_REPLICAS";
}

/** They may only be late: it is no reason not to start. */
export function missingReplicas(info: Info, role: string, waiting: Waiting): string | undefined {
  const connected = numberIn(info, "connected_slaves");
  if (!(connected < waiting.replicas)) return undefined;
  const acts = waiting.setting === "REDIS_WAIT_REPLICAS" ? "created or opened" : "created";
  return (
    `${role} has ${connected} replica(s), and ${waiting.replicas} must confirm, so nothing can be ${acts}. ` +
    `Bring the replicas up, or lower ${waiting.setting}.`
  );
}

export function replicasDoubt(info: Info, role: string, waiting: Waiting): string | undefined {
  const connected = numberIn(info, "connected_slaves");
  if (!(connected > waiting.replicas)) return undefined;
  const risk = waiting.setting === "REDIS_WAIT_REPLICAS" ? "be lost or opened twice" : "be lost";
  return (
    `${role} has ${connected} replica(s), and ${waiting.replicas} must confirm. After a failover a secret could ` +
    `${risk}: set ${waiting.setting} to the number that may be promoted.`
  );
}

/** Throws `StorePreconditionError`, with what to set. */
export function assertUsable({ info, role, isNode }: Inspected): void {
  const ofServer = isNode ? [] : [modeProblem];
  for (const check of [...ofServer, versionProblem, evictionProblem, roleProblem]) {
    const problem = check(info, role);
    if (problem !== undefined) throw new StorePreconditionError(problem);
  }
}

/** One sentence each, for an operator to read at start. */
function findDoubts(
  info: Info,
  role: string,
  holdsShares: boolean,
  waiting: Waiting,
  budget: StoreBudget | undefined,
): string[] {
  const doubts = [
    holdsShares ? persistenceDoubt(info, role) : undefined,
    memoryDoubt(info, role, budget),
    missingReplicas(info, role, waiting),
    replicasDoubt(info, role, waiting),
  ];
  return doubts.filter((doubt) => doubt !== undefined);
}

/** A Redis that was looked at, or one master of a Cluster. */
export interface Inspected {
  /** As sentences call it. */
  readonly role: string;
  readonly info: Info;
  readonly isNode: boolean;
  readonly client: Redis;
}

/** What INFO tells; `save` is there where this user may ask for the configuration. */
async function readInfo(client: Redis): Promise<Info> {
  let info = "";
  for (const section of ["server", "memory", "persistence", "replication"]) {
    const command = client.info(section).catch((error: Error) => {
      if (error.message.startsWith("NOPERM")) return "";
      throw error;
    });
    info += `${await ask(command)}\n`;
  }
  // Most users may not ask this, and the documented one may not: INFO tells all that must be known.
  const save = await client.config("GET", "save").catch(() => undefined);
  if (Array.isArray(save) && typeof save[1] === "string") info += `save:${save[1]}\n`;
  return parseInfo(info);
}

/** Connects, and looks at the one Redis, or at every master of a Cluster. */
export async function inspectRedis(client: Redis | Cluster, role: string): Promise<readonly Inspected[]> {
  await openRedis(client, role);
  return Promise.all(
    [...mastersOf(client)].map(async ([name, node]) => ({
      role: name === "" ? role : `${role}'s node ${name}`,
      info: await readInfo(node),
      isNode: name !== "",
      client: node,
    })),
  );
}

/** Resolves with warnings; throws `StorePreconditionError` or `StoreUnavailableError`. */
export async function checkRedis(
  client: Redis | Cluster,
  keyring: Redis | Cluster | undefined,
  waitReplicas: number,
  keyringWaitReplicas: number,
  budget?: StoreBudget,
): Promise<readonly string[]> {
  const look = async (which: Redis | Cluster, role: string, find: (one: Inspected) => string[]) => {
    const inspected = await inspectRedis(which, role);
    for (const one of inspected) assertUsable(one);
    return inspected.flatMap(find);
  };
  const waiting = { replicas: waitReplicas, setting: "REDIS_WAIT_REPLICAS" } as const;
  const doubts = await look(client, "Redis", ({ info, role }) => {
    const smaller = budgetDoubt(info, role, budget);
    const others = findDoubts(info, role, keyring === undefined, waiting, budget);
    return smaller === undefined ? others : [...others, smaller];
  });
  if (!keyring) return doubts;
  const forShares = { replicas: keyringWaitReplicas, setting: "KEYRING_REDIS_WAIT_REPLICAS" } as const;
  const ofKeyring = await look(keyring, "The keyring's Redis", ({ info, role }) =>
    findDoubts(info, role, true, forShares, budget),
  );
  return [...doubts, ...ofKeyring];
}
