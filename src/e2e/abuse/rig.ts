import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Needles, rememberSecret } from "../../testing/every-flow.ts";
import { startRedis, type TestRedis } from "../../testing/redis-server.ts";
import { newClaim, type SealedSecret, type SealOptions, sealSecret } from "../../testing/sealed-secret.ts";
import { type ServerProcess, startServer } from "../../testing/server-process.ts";
import type { Report } from "./report.ts";

export type StoreName = "embedded" | "Redis";
export const STORES: readonly StoreName[] = ["embedded", "Redis"];

/** How much is done; everything else is the same in a short run. */
export interface Scale {
  readonly slowSockets: number;
  /** That they are looked at: a reader may last two minutes. */
  readonly slowSeconds: number;
  readonly slowStores: readonly StoreName[];
  /** Seconds of requests before the slow ones come, to compare with. */
  readonly slowBefore: number;
  /** Answered requests on each store. */
  readonly malformed: Readonly<Record<StoreName, number>>;
  readonly sealed: number;
  /** Seconds of silence before memory is read. */
  readonly idle: number;
  /** MiB that it may have grown by since the first tenth: a short run is hardly warm by then. */
  readonly growth: number;
  /** Every so many bytes the connection is cut. */
  readonly cutEvery: number;
  /** Of each kind, on each store. */
  readonly misses: number;
}

/** One run: its servers, what they must never have written down, and where they wrote. */
export interface Rig {
  readonly scale: Scale;
  readonly seed: number;
  readonly report: Report;
  readonly needles: Needles;
  readonly logs: readonly string[];
  readonly folder: string;
  /** The built server, on a store of its own, that counts no tries; ended after `use`. */
  withServer<T>(
    store: StoreName,
    env: Readonly<Record<string, string>>,
    use: (server: ServerProcess) => Promise<T>,
  ): Promise<T>;
  /** A secret that the search of the logs will look for. */
  seal(name: string, options?: SealOptions): Promise<SealedSecret>;
  /** So will it for this. */
  claim(name: string): string;
  close(): Promise<void>;
}

/** Everything comes from one address here, which would soon be told to wait. */
const UNCOUNTED = {
  RATE_LIMIT_CREATE: "1000000/1s",
  RATE_LIMIT_OPEN: "1000000/1s",
  RATE_LIMIT_MISS: "1000000/1s",
};

export async function createRig(scale: Scale, seed: number, report: Report): Promise<Rig> {
  const folder = await mkdtemp(join(tmpdir(), "waxseal-abuse-"));
  const needles: Needles = new Map();
  const logs: string[] = [];
  let redis: TestRedis | undefined;
  return {
    scale,
    seed,
    report,
    needles,
    logs,
    folder,
    async withServer(store, env, use) {
      if (store === "Redis") redis ??= await startRedis();
      const log = join(folder, `server-${logs.length}.log`);
      logs.push(log);
      const where = store === "Redis" && redis ? { REDIS_URL: redis.url } : {};
      const server = await startServer({ ...UNCOUNTED, LOG_LEVEL: "trace", ...where, ...env }, log);
      try {
        return await use(server);
      } finally {
        await server.stop();
      }
    },
    async seal(name, options) {
      const secret = await sealSecret(options);
      rememberSecret(needles, name, secret);
      return secret;
    },
    claim(name) {
      const claim = newClaim();
      needles.set(`${name}: claim`, Buffer.from(claim, "base64url"));
      return claim;
    },
    async close() {
      await redis?.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * Requests over kept connections, many at once. They are repeated for ten seconds while they are answered
 * with 503, as clients do: a store may be too slow for the program's patience. Where that is to be judged
 * or counted, requests go over bare sockets instead.
 */
export function createClient(url: string, sockets = 64) {
  const agent = new Agent({ keepAlive: true, maxSockets: sockets });
  const sendOnce = (
    method: string,
    path: string,
    headers: Readonly<Record<string, string | number>> = {},
    body = "",
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const length = body === "" ? {} : { "Content-Length": Buffer.byteLength(body) };
      const sent = request(`${url}${path}`, { method, agent, headers: { ...headers, ...length } }, (res) => {
        const chunks: Buffer[] = [];
        res.on("data", (chunk: Buffer) => chunks.push(chunk));
        res.on("error", reject);
        res.on("end", () =>
          resolve({ status: res.statusCode ?? 0, body: Buffer.concat(chunks).toString("latin1") }),
        );
      });
      sent.on("error", reject).end(body);
    });
  async function send(...request: Parameters<typeof sendOnce>): Promise<Answer> {
    for (let tries = 1; ; tries++) {
      const answer = await sendOnce(...request);
      if (answer.status !== 503 || tries === 40) return answer;
      await sleep(250);
    }
  }
  const post = (path: string, bearer: string, body: object) =>
    send(
      "POST",
      `/api/v1/${path}`,
      { Authorization: `Bearer ${bearer}`, "Content-Type": "application/json" },
      JSON.stringify(body),
    );
  return {
    send,
    post,
    async create({ body }: SealedSecret): Promise<void> {
      const answer = await post("secrets", "", body);
      if (answer.status !== 201)
        throw new Error(`A create was answered with ${answer.status}: ${answer.body}`);
    },
    /** The share, where it was handed over. */
    async open(secret: SealedSecret, claim?: string): Promise<string | undefined> {
      const { access, link } = secret;
      const answer = await post("secret/open", link, claim === undefined ? { access } : { access, claim });
      return answer.status === 200 ? JSON.parse(answer.body).share : undefined;
    },
    close: () => agent.destroy(),
  };
}
export type Client = ReturnType<typeof createClient>;

/** Does `act` with each of the items, so many at a time. */
export async function inParallel<T>(
  items: Iterable<T>,
  abreast: number,
  act: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items[Symbol.iterator]();
  const work = async () => {
    for (let next = rest.next(); !next.done; next = rest.next()) await act(next.value);
  };
  await Promise.all(Array.from({ length: abreast }, work));
}

/** Resident memory of a process in MiB. */
export function residentOf({ pid }: ServerProcess): number {
  const text = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1]) / 1024;
}

/** Open descriptors of a process. */
export function descriptorsOf({ pid }: ServerProcess): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Whether it still is the process that was started, and serves. */
export async function isReady(server: ServerProcess): Promise<boolean> {
  if (!readdirSync("/proc").includes(String(server.pid))) return false;
  return (await fetch(`${server.url}/readyz`).catch(() => undefined))?.status === 200;
}
