/** The programs that are put to the test, behind one HTTP interface. */
import { fileURLToPath } from "node:url";
import { type ServerProcess, startProgram, startServer } from "../../testing/server-process.ts";

const NAMES = ["ours", "claim without WAIT", "plain GETDEL"] as const;
export type AlgorithmName = (typeof NAMES)[number];

/** Environment, for those that have it. */
export type Settings = Readonly<Record<string, string>>;

export interface Algorithm {
  readonly name: AlgorithmName;
  /** A process of its own on the Redis at this address, of which so many replicas may be promoted. */
  start(redisUrl: string, replicas: number, settings?: Settings): Promise<ServerProcess>;
}

const WAIT_REPLICAS = "REDIS_WAIT_REPLICAS";
const NO_LIMITS = {
  RATE_LIMIT_CREATE: "100000/1m",
  RATE_LIMIT_OPEN: "100000/1m",
  RATE_LIMIT_MISS: "100000/1m",
};
const getdelServer = fileURLToPath(new URL("getdel-server.ts", import.meta.url));

function startWaxseal(redisUrl: string, replicas: number, settings: Settings = {}): Promise<ServerProcess> {
  return startServer({ ...NO_LIMITS, ...settings, REDIS_URL: redisUrl, [WAIT_REPLICAS]: String(replicas) });
}

export const algorithms: readonly Algorithm[] = [
  { name: "ours", start: startWaxseal },
  { name: "claim without WAIT", start: (redisUrl, _, settings) => startWaxseal(redisUrl, 0, settings) },
  {
    name: "plain GETDEL",
    start: (redisUrl) => startProgram(["--import", "tsx", getdelServer], { REDIS_URL: redisUrl }),
  },
];
