import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Redis } from "ioredis";
import type { Response, Test } from "supertest";
import { connectTo, openRedisStore } from "../testing/open-redis-store.ts";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { newClaim, type SealedSecret, sealSecret } from "../testing/sealed-secret.ts";
import { createTestApp, type TestApp } from "../testing/test-app.ts";
import { until } from "../testing/until.ts";

interface Condition {
  readonly name: string;
  readonly args?: readonly string[];
  begin(redis: TestRedis, admin: Redis): Promise<unknown>;
  end(redis: TestRedis, admin: Redis): Promise<unknown>;
  /** What only looks is answered still. */
  readonly reads?: true;
}

const AS_REPLICA = ["REPLICAOF", "127.0.0.1", "1"] as const;

const CONDITIONS: readonly Condition[] = [
  {
    name: "is a replica that takes no writes",
    begin: (_, admin) => admin.call(...AS_REPLICA),
    end: (_, admin) => admin.call("REPLICAOF", "NO", "ONE"),
    reads: true,
  },
  {
    name: "is a replica that has lost its master and says nothing that may be old",
    args: ["--replica-serve-stale-data", "no"],
    begin: (_, admin) => admin.call(...AS_REPLICA),
    end: (_, admin) => admin.call("REPLICAOF", "NO", "ONE"),
  },
  {
    name: "has too few replicas to write",
    begin: (_, admin) => admin.config("SET", "min-replicas-to-write", "1"),
    end: (_, admin) => admin.config("SET", "min-replicas-to-write", "0"),
    reads: true,
  },
  {
    name: "is still loading what it had written to disk",
    args: ["--enable-debug-command", "yes", "--loading-process-events-interval-bytes", "1024"],
    async begin(redis, admin) {
      const pipeline = admin.pipeline();
      for (let key = 0; key < 1_000; key++) pipeline.set(`ballast:${key}`, Buffer.alloc(4_096, key));
      await pipeline.exec();
      // Microseconds for each key: it takes longer than the test, which lets it go on in the end.
      await admin.config("SET", "key-load-delay", "20000");
      const reloading = await redis.client();
      void reloading.call("DEBUG", "RELOAD").catch(() => {});
      await until(async () => (await admin.info("persistence")).includes("loading:1"));
    },
    end: (_, admin) => admin.config("SET", "key-load-delay", "0"),
  },
  {
    name: "is frozen",
    begin: async (redis) => redis.freeze(),
    end: async (redis) => redis.thaw(),
  },
];

const api = "/api/v1";

const answersTo = (requests: Readonly<Record<string, Test>>) =>
  Promise.all(Object.entries(requests).map(async ([what, request]) => [what, await request] as const));

/** The answer once there is one: the program's patience is short for a busy machine. */
async function answerOf(ask: () => Test): Promise<Response> {
  let answer = await ask();
  await until(async () => {
    if (answer.status === 503) answer = await ask();
    return answer.status !== 503;
  });
  return answer;
}

async function create({ http }: TestApp, { body }: SealedSecret): Promise<void> {
  assert.equal((await answerOf(() => http.post(`${api}/secrets`).send(body))).status, 201);
}

/** Every request that only looks. */
function looksAt(app: TestApp, secret: SealedSecret): Record<string, () => Test> {
  const { http } = app;
  return {
    "GET secret": () => http.get(`${api}/secret`).set(app.asLink(secret)),
    "GET blob": () => http.get(`${api}/secret/blob`).set(app.asLink(secret)),
    "GET receipt": () => http.get(`${api}/receipt`).set(app.asReceipt(secret)),
  };
}

/** Every request that changes something in the store. */
function actsOn(app: TestApp, secret: SealedSecret, fresh: SealedSecret) {
  const { http } = app;
  const [link, receipt] = [app.asLink(secret), app.asReceipt(secret)];
  return {
    create: http.post(`${api}/secrets`).send(fresh.body),
    open: http.post(`${api}/secret/open`).set(link).send({ access: secret.access, claim: newClaim() }),
    "open once": http.post(`${api}/secret/open`).set(link).send({ access: secret.access }),
    "open wrongly": http.post(`${api}/secret/open`).set(link).send({ access: secret.wrongAccess }),
    delete: http.delete(`${api}/receipt/secret`).set(receipt),
  };
}

function assertUnavailable({ status, headers, body }: Response, name: string): void {
  assert.equal(status, 503, `${name}: ${status} ${JSON.stringify(body)}`);
  assert.match(headers["retry-after"] ?? "", /^[1-9]\d*$/, name);
  assert.match(headers["content-type"] ?? "", /^application\/problem\+json/, name);
  assert.equal(body.code, "unavailable", name);
  assert.match(body.detail, /try again/, name);
}

/** A form of the assisted pages, filled in and sent. */
async function sendForm({ http }: TestApp, page: string, fields: object): Promise<Response> {
  const form = await http.get(page).expect(200);
  const fieldIn = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(form.text)?.[1];
  return http
    .post(page)
    .set("Cookie", String(form.headers["set-cookie"]).split(";")[0] ?? "")
    .type("form")
    .send({ csrf: fieldIn("csrf"), claim: fieldIn("claim"), ...fields });
}

describe("While Redis answers, but can't serve:", () => {
  for (const { name, args = [], begin, end, reads } of CONDITIONS) {
    it(`when it ${name}, all say 503 and what to do, and the secret opens afterwards, once`, async () => {
      const redis = await startRedis(...args);
      const admin = await redis.client();
      const store = await openRedisStore(redis.port, { client: await connectTo(redis.port) });
      try {
        const app = createTestApp({ store, env: { RATE_LIMIT_CREATE: "1000/1m" } });
        const [secret, locked, fresh] = [await sealSecret(), await sealSecret(), await sealSecret()];
        for (const one of [secret, locked]) await create(app, one);
        for (let tries = 0; tries < 3; tries++)
          await answerOf(() => app.open(locked, { access: locked.wrongAccess }));

        await begin(redis, admin);
        const unlock = app.http.post(`${api}/receipt/unlock`).set(app.asReceipt(locked));
        const looks = Object.entries(looksAt(app, secret));
        if (reads) for (const [what, look] of looks) assert.equal((await answerOf(look)).status, 200, what);
        else {
          const looking = Object.fromEntries(looks.map(([what, look]) => [what, look()]));
          for (const [what, answer] of await answersTo(looking)) assertUnavailable(answer, what);
        }
        const acting = { ...actsOn(app, secret, fresh), unlock };
        for (const [what, answer] of await answersTo(acting)) assertUnavailable(answer, what);
        for (const [page, fields] of [
          ["/assisted", { secret: "kept text", ttl: "3600", passphrase: "" }],
          ["/assisted/open", { link: `http://localhost:8080/s#${secret.linkFragment}`, passphrase: "" }],
        ] as const) {
          const { status, headers, text } = await sendForm(app, page, fields);
          assert.equal(status, 503, page);
          assert.match(headers["retry-after"] ?? "", /^[1-9]\d*$/, page);
          assert.match(text, /The store does not answer\..* try again shortly\./, page);
          assert.match(text, page === "/assisted" ? /kept text/ : new RegExp(secret.linkFragment), page);
        }
        for (const page of ["/", "/s", "/r", "/healthz"]) await app.http.get(page).expect(200);

        await end(redis, admin);
        await until(async () => (await app.http.get("/readyz")).status === 200);
        await until(async () => (await app.http.get(`${api}/secret`).set(app.asLink(secret))).status === 200);
        const state = await answerOf(() => app.http.get(`${api}/receipt`).set(app.asReceipt(secret)));
        assert.equal(state.body.state, "sealed");
        // With a claim, so that it may be asked for again.
        const opening = { access: secret.access, claim: newClaim() };
        const handed = await answerOf(() => app.open(secret, opening));
        assert.deepEqual([handed.status, handed.body.share], [200, secret.body.share]);
        assert.equal((await answerOf(() => app.open(secret))).status, 410);
        await create(app, fresh);
      } finally {
        redis.thaw();
        await store.close();
        await redis.stop();
      }
    });
  }
});
