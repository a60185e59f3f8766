import {
  evictionProblem,
  memoryDoubt,
  missingReplicas,
  modeProblem,
  persistenceDoubt,
  type RedisProblem,
  replicasDoubt,
  roleProblem,
  versionProblem,
} from "../store/redis-check.ts";
import { memoryUse } from "../store/redis-memory.ts";
import { type Check, type Finding, ok, problem, warning } from "./finding.ts";
import type { RedisSubject } from "./redis-subject.ts";

/** Of the budget. */
const NEARLY_FULL = 0.85;
const MIB = 2 ** 20;

type RedisCheck = Check<RedisSubject>;

/** What the server itself refuses to start with. */
function precondition(name: string, find: RedisProblem, good: (subject: RedisSubject) => string): RedisCheck {
  return {
    name,
    run(subject) {
      const found = find(subject.info, subject.role);
      return [found === undefined ? ok(good(subject)) : problem(found)];
    },
  };
}

export const checkVersion = precondition(
  "version",
  versionProblem,
  ({ info }) => `${info.get("redis_version")}`,
);

export const checkMode: RedisCheck = {
  name: "kind",
  run({ info, role, isNode }) {
    const found = isNode ? undefined : modeProblem(info, role);
    if (found !== undefined) return [problem(found)];
    return [ok(isNode ? "a node of a Cluster" : "a server, as its address says")];
  },
};

export const checkMaster = precondition("role", roleProblem, () => "takes writes");

export const checkEviction = precondition("eviction", evictionProblem, () => "evicts nothing");

export const checkPersistence: RedisCheck = {
  name: "persistence",
  run({ info, role, holdsShares }) {
    const doubt = persistenceDoubt(info, role);
    if (doubt === undefined) return [ok("in memory only")];
    if (!holdsShares) return [ok("writes to disk, which is fine: the shares are in the keyring's Redis")];
    return [problem(doubt)];
  },
};

export const checkMemory: RedisCheck = {
  name: "memory",
  run({ info, role, budget: setting }) {
    const doubt = memoryDoubt(info, role, setting);
    if (doubt !== undefined) return [warning(doubt)];
    const [limit = Number.NaN, machine = Number.NaN] = ["maxmemory", "total_system_memory"].map((name) =>
      Number(info.get(name) ?? Number.NaN),
    );
    const { used, budget = Number.NaN } = memoryUse(info, setting);
    if (Number.isNaN(used / budget))
      return [warning(`${role} does not tell its memory. Allow its user INFO (ACL: +info).`)];
    const room = Math.max(0, budget - used);
    const words = `uses ${(used / MIB).toFixed(0)} of ${(budget / MIB).toFixed(0)} MiB (STORE_BUDGET)`;
    const findings: Finding[] = [];
    if (used >= budget)
      findings.push(problem(`${words}, so new secrets are refused. Raise maxmemory or STORE_BUDGET.`));
    else if (used >= NEARLY_FULL * budget)
      findings.push(
        warning(
          `${words}, which leaves ${(room / MIB).toFixed(1)} MiB for new secrets. Raise maxmemory before it is full.`,
        ),
      );
    if (limit > machine) {
      findings.push(
        warning(
          `${role} may use ${(limit / MIB).toFixed(0)} MiB and its machine has ${(machine / MIB).toFixed(0)}. Lower maxmemory.`,
        ),
      );
    }
    return findings.length > 0 ? findings : [ok(words)];
  },
};

export const checkReplicas: RedisCheck = {
  name: "replicas",
  run({ info, role, waiting }) {
    const missing = missingReplicas(info, role, waiting);
    if (missing !== undefined) return [problem(missing)];
    const doubt = replicasDoubt(info, role, waiting);
    if (doubt !== undefined) return [warning(doubt)];
    const { replicas, setting } = waiting;
    return [ok(replicas === 0 ? `none, as ${setting} says` : `${replicas} must confirm, and do`)];
  },
};

/** Its entries hold arguments, shares among them, until others push them out. */
export const checkSlowLog: RedisCheck = {
  name: "slow log",
  async run({ client }) {
    const reply = await client.config("GET", "slowlog-max-len").catch(() => undefined);
    if (!Array.isArray(reply) || reply[1] === undefined) {
      return [ok("its length is not for this user to see, as it should be; set slowlog-max-len 0")];
    }
    if (Number(reply[1]) === 0) return [ok("keeps none")];
    return [warning("keeps slow commands with their arguments. Set slowlog-max-len 0.")];
  },
};
