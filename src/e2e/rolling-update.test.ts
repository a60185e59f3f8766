import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { sealSecret } from "../testing/sealed-secret.ts";
import { type ServerProcess, startServer } from "../testing/server-process.ts";
import { until } from "../testing/until.ts";

const LIMITS = { RATE_LIMIT_CREATE: "100000/1m", RATE_LIMIT_OPEN: "100000/1m", RATE_LIMIT_MISS: "100000/1m" };
/** Milliseconds between two looks at whether a replica is ready; well below the notice it gives. */
const PROBE_EVERY = 100;
/**
 * Milliseconds for which an answer to a look is believed: less than the notice too. Where the machine is
 * too busy to look in time, requests wait for the next answer.
 */
const BELIEVED = 400;

/** What a Kubernetes Service does: hands each request to one of those that said they were ready. */
async function startBalancer(replicas: Set<ServerProcess>) {
  /** When each began to say so, by `performance.now()`. */
  const ready = new Map<ServerProcess, number>();
  const asked = new Set<ServerProcess>();
  let turn = 0;
  const probe = async (replica: ServerProcess) => {
    if (asked.has(replica)) return;
    asked.add(replica);
    const at = performance.now();
    const isReady = await fetch(`${replica.url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
    asked.delete(replica);
    if (isReady) ready.set(replica, at);
    else ready.delete(replica);
  };
  const probeAll = () => Promise.all([...replicas].map(probe));
  await probeAll();
  const timer = setInterval(probeAll, PROBE_EVERY);

  async function choose(): Promise<ServerProcess | undefined> {
    while (ready.size > 0) {
      const since = performance.now() - BELIEVED;
      const believed = [...ready].filter(([, at]) => at > since);
      const [chosen] = believed[turn++ % believed.length] ?? [];
      if (chosen) return chosen;
      await setTimeout(PROBE_EVERY / 10);
    }
    return undefined;
  }

  const server: Server = createServer(async (incoming, outgoing) => {
    const chosen = await choose();
    if (!chosen) return outgoing.writeHead(502).end();
    const { method, url, headers } = incoming;
    const forwarded = request(chosen.url + url, { method, headers, agent: false }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    forwarded.on("error", () => outgoing.headersSent || outgoing.writeHead(502).end());
    incoming.pipe(forwarded);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      clearInterval(timer);
      await until(() => asked.size === 0);
      server.closeAllConnections();
      server.close();
    },
  };
}

describe("a rolling update", () => {
  let redis: TestRedis;
  const replicas = new Set<ServerProcess>();

  before(async () => {
    redis = await startRedis();
    const env = { ...LIMITS, REDIS_URL: redis.url };
    replicas.add(await startServer(env));
    replicas.add(await startServer(env));
  });
  after(async () => {
    await Promise.all([...replicas].map((replica) => replica.stop()));
    await redis?.stop();
  });

  it("fails no request while each replica is replaced in turn, and every secret opens once", async (t) => {
    const balancer = await startBalancer(replicas);
    const answers = new Map<string, number>();
    let updating = true;

    async function send(name: string, path: string, bearer: string, body: object, method = "POST") {
      const response = await fetch(`${balancer.url}/api/v1/${path}`, {
        method,
        headers: { Authorization: `Bearer ${bearer}`, "Content-Type": "application/json" },
        ...(method === "POST" ? { body: JSON.stringify(body) } : {}),
      }).catch((error: unknown) => ({ status: String(error), json: async () => ({}) }));
      const key = `${name} ${response.status}`;
      answers.set(key, (answers.get(key) ?? 0) + 1);
      return (await response.json()) as { share?: string };
    }

    async function people(): Promise<void> {
      while (updating) {
        const secret = await sealSecret();
        await send("create", "secrets", "", secret.body);
        await send("state", "secret", secret.link, {}, "GET");
        const { share } = await send("open", "secret/open", secret.link, { access: secret.access });
        assert.equal(share, secret.body.share);
        await send("open again", "secret/open", secret.link, { access: secret.access });
      }
    }
    const crowd = Promise.all(Array.from({ length: 4 }, people));

    try {
      for (const old of [...replicas]) {
        replicas.add(await startServer({ ...LIMITS, REDIS_URL: redis.url }));
        old.signal("SIGTERM");
        assert.equal(await old.ended, 0);
        replicas.delete(old);
      }
    } finally {
      updating = false;
      await crowd;
      await balancer.close();
    }
    const told = [...answers].sort();
    t.diagnostic(told.map(([answer, count]) => `${answer}: ${count}`).join(", "));
    assert.deepEqual(
      told.map(([answer]) => answer),
      ["create 201", "open 200", "open again 410", "state 200"],
    );
  });
});
