import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { Cluster, Redis, RedisOptions } from "ioredis";
import { parseRedisUrl } from "../config/redis-url.ts";
import { connectRedisOrCluster } from "../store/connect-redis.ts";
import { createRedisStore, type RedisStoreOptions } from "../store/redis.ts";
import { createLimitStore } from "../store/redis-limits.ts";
import { memoryFolder } from "../testing/memory-folder.ts";
import { makePatient, opened, TEST_LIMITS } from "../testing/open-redis-store.ts";
import { patiently } from "../testing/patiently.ts";
import { startCluster } from "../testing/redis-cluster.ts";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { newClaim, type SealedSecret, sealSecret } from "../testing/sealed-secret.ts";
import { startTcpProxy } from "../testing/tcp-proxy.ts";
import { createTestApp, type TestApp } from "../testing/test-app.ts";
import { until } from "../testing/until.ts";

const cleanUps: (() => unknown)[] = [];
after(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

/** A Redis that nothing happens to. */
let bystander: Redis;
before(async () => {
  bystander = await (await redis()).client();
});

/**
 * Two seconds as this process and a Redis see them: an app that shares the process with the test, and a
 * Redis of its own, on a machine that has other things to do, get the turns that this clock gets.
 */
function twoSeconds(): AbortSignal {
  const controller = new AbortController();
  const count = async () => {
    for (let ticks = 0; ticks < 20; ticks++) {
      await setTimeout(100, undefined, { ref: false });
      await bystander.ping();
    }
    controller.abort(new Error("No answer within two seconds."));
  };
  count().catch(() => {}); // it is over, and the bystander has gone
  return controller.signal;
}

type Ask = (url: string, secret: SealedSecret) => Promise<Response>;

const send = (
  path: string,
  method: string,
  token: string | undefined,
  body?: object,
): ((url: string) => Promise<Response>) => {
  const headers: Record<string, string> = {};
  if (token !== undefined) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  return (url) =>
    fetch(url + path, {
      method,
      headers,
      signal: twoSeconds(),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
};

/** Each kind of request that needs the store. */
const KINDS: Readonly<Record<string, Ask>> = {
  create: async (url) => send("/api/v1/secrets", "POST", undefined, (await sealSecret()).body)(url),
  state: (url, { link }) => send("/api/v1/secret", "GET", link)(url),
  blob: (url, { link }) => send("/api/v1/secret/blob", "GET", link)(url),
  open: (url, { link, access }) =>
    send("/api/v1/secret/open", "POST", link, { access, claim: newClaim() })(url),
  "open without a claim": (url, { link, access }) =>
    send("/api/v1/secret/open", "POST", link, { access })(url),
  acknowledge: (url, { link }) => send("/api/v1/secret/ack", "POST", link, { claim: newClaim() })(url),
  receipt: (url, { receipt }) => send("/api/v1/receipt", "GET", receipt)(url),
  delete: (url, { receipt }) => send("/api/v1/receipt/secret", "DELETE", receipt)(url),
  unlock: (url, { receipt }) => send("/api/v1/receipt/unlock", "POST", receipt, {})(url),
  readiness: send("/readyz", "GET", undefined),
};

interface Place {
  readonly app: TestApp;
  readonly client: Redis | Cluster;
}

/** The app on such a Redis, with limits that count there and the program's own patience. */
function serve(url: string, options: Partial<RedisStoreOptions> = {}): Place {
  const client = connectRedisOrCluster({ address: parseRedisUrl(url) });
  client.connect().catch(() => {}); // it tries on in the background
  const store = createRedisStore({ client, limits: TEST_LIMITS, ...options });
  cleanUps.push(() => store.close());
  const env = { RATE_LIMIT_CREATE: "100000/1m", RATE_LIMIT_OPEN: "100000/1m", RATE_LIMIT_MISS: "100000/1m" };
  return {
    app: createTestApp({ env, store, limitStore: (name) => createLimitStore({ client, name }) }),
    client,
  };
}

async function redis(...args: string[]): Promise<TestRedis> {
  const server = await startRedis(...args);
  cleanUps.push(() => server.stop());
  return server;
}

/** Before and after an outage: where the machine is busy, the program's patience may end once or twice. */
const createPatiently = ({ app }: Place, { body }: SealedSecret) =>
  until(async () => (await app.http.post("/api/v1/secrets").send(body)).status === 201);

/** One secret for each kind of request, so that none has to wait for another's end. */
async function secretsIn(place: Place): Promise<SealedSecret[]> {
  await opened(place.client);
  const secrets = await Promise.all(Object.keys(KINDS).map(() => sealSecret()));
  for (const secret of secrets) await createPatiently(place, secret);
  return secrets;
}

async function assertUnavailable(kind: string, answer: Response): Promise<void> {
  assert.equal(answer.status, 503, `${kind}: ${answer.status}`);
  assert.match(answer.headers.get("Content-Type") ?? "", /^application\/problem\+json/, kind);
  assert.match(answer.headers.get("Retry-After") ?? "", /^\d+$/, kind);
  assert.equal(((await answer.json()) as { code: string }).code, "unavailable", kind);
}

/** All kinds at once, twice: when nobody knows yet that Redis is away, and when it is known. */
async function allMeet503({ app }: Place, secrets: readonly SealedSecret[]): Promise<void> {
  await app.listening(async (url) => {
    for (let round = 0; round < 2; round++) {
      await Promise.all(
        Object.entries(KINDS).map(async ([kind, ask], index) => {
          const secret = secrets[index];
          assert.ok(secret);
          await assertUnavailable(kind, await ask(url, secret));
        }),
      );
    }
  });
}

const isBack = ({ app }: Place) => patiently(() => app.store.ping());

describe("Every request meets a 503 within two seconds", () => {
  it("where Redis refuses connections", async () => {
    const server = await redis();
    const place = serve(server.url);
    const secrets = await secretsIn(place);
    await server.kill();
    await allMeet503(place, secrets);
  });

  it("where Redis takes connections and never says anything", async () => {
    const server = await redis();
    const proxy = await startTcpProxy(server.port);
    cleanUps.push(() => proxy.close());
    const place = serve(`redis://127.0.0.1:${proxy.port}`);
    const secrets = await secretsIn(place);
    proxy.silence();
    await allMeet503(place, secrets);
    proxy.mend();
    await isBack(place);
    await createPatiently(place, await sealSecret());
  });

  it("where Redis is frozen", async () => {
    const server = await redis();
    const place = serve(server.url);
    const secrets = await secretsIn(place);
    server.freeze();
    await allMeet503(place, secrets);
    server.thaw();
    await isBack(place);
    await createPatiently(place, await sealSecret());
  });

  it("where its name is not known", async () => {
    const place = serve("redis://no-such-host.invalid");
    await allMeet503(place, await Promise.all(Object.keys(KINDS).map(() => sealSecret())));
  });

  it("where Redis falls silent in the middle of what is asked, with replicas or without", async () => {
    const server = await redis();
    const replica = await redis("--replicaof", "127.0.0.1", String(server.port));
    const admin = await replica.client();
    await until(async () => (await admin.info("replication")).includes("master_link_status:up"));
    const proxy = await startTcpProxy(server.port);
    cleanUps.push(() => proxy.close());
    for (const waitReplicas of [0, 1]) {
      const place = serve(`redis://127.0.0.1:${proxy.port}`, { waitReplicas });
      for (let answers = 0; answers < 3; answers++) {
        for (const kind of ["create", "open", "open without a claim", "delete"] as const) {
          await isBack(place);
          const secret = await sealSecret();
          // Connections that wait for replicas come back one by one.
          await createPatiently(place, secret);
          proxy.holdAnswers(answers);
          await place.app.listening(async (url) => {
            const answer = await KINDS[kind]?.(url, secret);
            assert.ok(answer);
            // With more answers than it needs, it is done.
            if (answer.status === 503) await assertUnavailable(kind, answer);
            else assert.ok(answer.ok, `${kind}: ${answer.status}`);
          });
          proxy.cut();
          proxy.mend();
        }
      }
    }
  });

  it("where master and Sentinels are gone, and none where only the Sentinels are", async () => {
    const master = await redis();
    const dir = memoryFolder("sentinels");
    cleanUps.push(() => rm(dir, { recursive: true }));
    const sentinels = await Promise.all(
      ["one", "two", "three"].map(async (name) => {
        const file = join(dir, `${name}.conf`);
        await writeFile(file, `sentinel monitor wax 127.0.0.1 ${master.port} 2\n`);
        const server = await redis(file, "--sentinel");
        return server;
      }),
    );
    const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(",");
    const place = serve(`redis+sentinel://${hosts}/wax`);
    const secrets = await secretsIn(place);
    const [first] = secrets;
    assert.ok(first);
    // A connection that is given up can't be made again once the Sentinels are gone.
    const { commandTimeout, socketTimeout, connectTimeout } = place.client.options as RedisOptions;
    makePatient(place.client);
    for (const sentinel of sentinels) await sentinel.kill();
    const opening = { access: first.access, claim: newClaim() };
    await until(async () => (await place.app.open(first, opening)).status === 200);
    Object.assign(place.client.options, { commandTimeout, socketTimeout, connectTimeout });
    await master.kill();
    await allMeet503(place, secrets);
  });

  it("where a Cluster's node is dead, and is answered where the secret lies on another", async () => {
    const cluster = await startCluster();
    cleanUps.push(() => cluster.stop());
    const [dead, ...living] = cluster.nodes;
    assert.ok(dead);
    // Otherwise all of them refuse, as soon as they have noticed.
    for (const node of cluster.nodes)
      await (await node.client()).config("SET", "cluster-require-full-coverage", "no");
    const place = serve(`redis+cluster://${cluster.ports.map((port) => `127.0.0.1:${port}`).join(",")}`);
    await secretsIn(place);
    const secrets = await Promise.all(Array.from({ length: 60 }, () => sealSecret()));
    for (const secret of secrets) await createPatiently(place, secret);
    const admin = await dead.client();
    const lost = new Set((await admin.keys("*:record")).map((key) => /\{(.*)\}/.exec(key)?.[1]));
    assert.ok(lost.size > 0);
    for (const act of ["freeze", "kill"] as const) {
      await dead[act]();
      await place.app.listening(async (url) => {
        await Promise.all(
          secrets.map(async (secret) => {
            const answer = await KINDS.state?.(url, secret);
            assert.ok(answer);
            if (lost.has(secret.body.id) || answer.status !== 200) await assertUnavailable("state", answer);
          }),
        );
      });
      // What lies elsewhere is served in the end, with nobody waiting for the dead node.
      const elsewhere = secrets.filter(({ body }) => !lost.has(body.id));
      for (const secret of elsewhere)
        await until(
          async () =>
            (await place.app.http.get("/api/v1/secret").set(place.app.asLink(secret))).status === 200,
        );
    }
    assert.ok(living.length === 2);
  });

  it("where a whole Cluster is frozen", async () => {
    const cluster = await startCluster();
    cleanUps.push(() => cluster.stop());
    const place = serve(`redis+cluster://127.0.0.1:${cluster.ports[0]}`);
    const secrets = await secretsIn(place);
    for (const node of cluster.nodes) node.freeze();
    await allMeet503(place, secrets);
    for (const node of cluster.nodes) node.thaw();
    await isBack(place);
    for (const { body } of secrets)
      await until(() =>
        place.app.store.read(body.id as never).then(
          (record) => record !== undefined,
          () => false,
        ),
      );
  });
});
