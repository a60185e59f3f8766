import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readEvents } from "../testing/event-stream.ts";
import { type SealedSecret, sealSecret } from "../testing/sealed-secret.ts";
import { createTestApp, type TestApp, type TestAppOptions } from "../testing/test-app.ts";
import { until } from "../testing/until.ts";

const EVENTS = "/api/v1/receipt/events";

interface Rig {
  readonly app: TestApp;
  readonly url: string;
  readonly secret: SealedSecret;
  follow(headers?: Record<string, string>): ReturnType<typeof readEvents>;
}

/** An app that listens, and a secret that is followed. */
async function following(
  use: (rig: Rig) => Promise<void>,
  { passphrase, ...options }: TestAppOptions & { readonly passphrase?: string } = {},
): Promise<void> {
  const app = createTestApp(options);
  const secret = await sealSecret({ ...(passphrase === undefined ? {} : { passphrase }) });
  await app.create(secret);
  await app.listening((url) =>
    use({
      app,
      url,
      secret,
      follow: (headers = {}) => readEvents(url + EVENTS, { ...app.asReceipt(secret), ...headers }),
    }),
  );
}

const stateIn = (event: { readonly data: unknown } | undefined) =>
  (event?.data as { state?: string } | undefined)?.state;
const kindsIn = (event: { readonly data: unknown } | undefined) =>
  (event?.data as { events: { kind: string }[] } | undefined)?.events.map(({ kind }) => kind);
const openStreams = async (app: TestApp) => (await app.metrics.streams.get()).values[0]?.value;

describe("GET /api/v1/receipt/events", () => {
  it("tells the receipt at once, as the receipt itself does, and keeps it out of caches and buffers", () =>
    following(async ({ app, secret, follow }) => {
      const stream = await follow();
      assert.equal(stream.response.status, 200);
      const header = (name: string) => stream.response.headers.get(name);
      assert.equal(header("Content-Type"), "text/event-stream; charset=utf-8");
      assert.equal(header("Cache-Control"), "no-store");
      assert.equal(header("X-Accel-Buffering"), "no");
      assert.equal(header("Content-Encoding"), null);
      const { body } = await app.http.get("/api/v1/receipt").set(app.asReceipt(secret)).expect(200);
      const first = await stream.next();
      assert.deepEqual([first?.event, first?.data], ["receipt", body]);
      assert.match(first?.id ?? "", /^[A-Za-z0-9_-]{16}$/);
      assert.ok(!secret.receipt.includes(first?.id ?? ""));
      stream.close();
    }));

  it("tells each change: a visit, a wrong passphrase, the opening and its arrival; then it ends", () =>
    following(
      async ({ app, secret, follow }) => {
        const stream = await follow();
        await stream.next();
        await app.http.get("/api/v1/secret").set(app.asLink(secret)).expect(200);
        assert.deepEqual(kindsIn(await stream.next()), ["sealed", "visited"]);
        const claim = Buffer.alloc(16, 1).toString("base64url");
        const wrong = Buffer.alloc(32, 1).toString("base64url");
        await app.open(secret, { access: wrong, claim }).expect(403);
        assert.deepEqual(kindsIn(await stream.next())?.at(-1), "wrong-passphrase");
        await app.open(secret, { access: secret.access, claim }).expect(200);
        assert.equal(stateIn(await stream.next()), "opened");
        await app.http.post("/api/v1/secret/ack").set(app.asLink(secret)).send({ claim }).expect(204);
        assert.deepEqual(kindsIn(await stream.next())?.at(-1), "received");
        assert.equal(await stream.next(), undefined);
        await until(async () => (await openStreams(app)) === 0);
      },
      { passphrase: "rosebud" },
    ));

  it("ends once it has told that the secret was deleted", () =>
    following(async ({ app, secret, follow }) => {
      const stream = await follow();
      await stream.next();
      await app.http.delete("/api/v1/receipt/secret").set(app.asReceipt(secret)).expect(200);
      assert.equal(stateIn(await stream.next()), "deleted");
      assert.equal(await stream.next(), undefined);
    }));

  it("goes on from what its reader has, and ends a reader's asking when nothing can follow", () =>
    following(async ({ app, secret, follow }) => {
      const first = await follow();
      const id = (await first.next())?.id ?? "";
      first.close();
      const second = await follow({ "Last-Event-ID": id });
      await app.http.get("/api/v1/secret").set(app.asLink(secret)).expect(200);
      // The first that it is told is the change, and not what it had.
      assert.deepEqual(kindsIn(await second.next()), ["sealed", "visited"]);
      second.close();
      const third = await follow({ "Last-Event-ID": "of another time" });
      assert.equal(stateIn(await third.next()), "sealed");
      await app.http.delete("/api/v1/receipt/secret").set(app.asReceipt(secret)).expect(200);
      const last = await third.next();
      const fourth = await follow({ "Last-Event-ID": last?.id ?? "" });
      assert.equal(fourth.response.status, 204);
    }));

  it("is for the receipt's holder: everybody else has the receipt's own 401 and 404", () =>
    following(async ({ app, secret, url }) => {
      const stranger = await sealSecret();
      const ask = async (path: string, headers: Record<string, string>) => {
        const response = await fetch(url + path, { headers });
        return { status: response.status, body: await response.json() };
      };
      for (const headers of [{}, app.asLink(secret), app.asReceipt(stranger)]) {
        assert.deepEqual(await ask(EVENTS, headers), await ask("/api/v1/receipt", headers));
      }
      assert.equal(
        (await fetch(url + EVENTS, { method: "HEAD", headers: app.asReceipt(secret) })).status,
        200,
      );
      assert.equal(await openStreams(app), 0);
    }));

  it("takes sixteen from one address, says 429 to more, and gives places back", () =>
    following(async ({ app, follow }) => {
      const streams = await Promise.all(Array.from({ length: 16 }, () => follow()));
      for (const stream of streams) assert.equal(stream.response.status, 200);
      const refused = await follow();
      assert.equal(refused.response.status, 429);
      assert.equal(refused.response.headers.get("Retry-After"), "30");
      streams[0]?.close();
      await until(async () => {
        const another = await follow();
        const found = another.response.status === 200;
        another.close();
        return found;
      });
      for (const stream of streams) stream.close();
      await until(async () => (await openStreams(app)) === 0);
    }));

  it("counts addresses as the limits do, so one IPv6 network is one client and another is not", () =>
    following(
      async ({ follow }) => {
        const from = (address: string) => follow({ "X-Forwarded-For": address });
        const streams = await Promise.all(
          Array.from({ length: 16 }, (_, i) => from(`2001:db8:0:${i.toString(16)}::1`)),
        );
        assert.equal((await from("2001:db8:0:ff::9")).response.status, 429);
        const other = await from("2001:db8:0:100::1");
        assert.equal(other.response.status, 200);
        for (const stream of [...streams, other]) stream.close();
      },
      { env: { TRUST_PROXY: "127.0.0.1" } },
    ));

  it("ends at once when the process is told to end, and takes nobody new", () =>
    following(async ({ app, follow }) => {
      const streams = await Promise.all(Array.from({ length: 3 }, () => follow()));
      for (const stream of streams) await stream.next();
      app.drain();
      for (const stream of streams) assert.equal(await stream.next(), undefined);
      const late = await follow();
      assert.equal(late.response.status, 503);
      assert.equal(late.response.headers.get("Retry-After"), "1");
    }));

  it("is one line in the log when it is over, and no request that took long", () =>
    following(async ({ app, follow }) => {
      const stream = await follow();
      await stream.next();
      const lines = () => app.logLines().filter(({ route }) => route === EVENTS);
      assert.deepEqual(lines(), []);
      assert.equal(await openStreams(app), 1);
      stream.close();
      await until(() => lines().length > 0);
      assert.deepEqual(
        lines().map(({ status, incomplete }) => [status, incomplete]),
        [[200, undefined]],
      );
      assert.doesNotMatch(await app.metrics.registry.metrics(), /duration_seconds_count\{[^}]*events/);
    }));
});

describe("Who holds the link and looks at its page", () => {
  it("is noted once in ten minutes while it is sealed, and never keeps anybody from looking", async () => {
    const app = createTestApp();
    const secret = await sealSecret();
    await app.create(secret);
    const look = () => app.http.get("/api/v1/secret").set(app.asLink(secret));
    const visits = async () => {
      const { body } = await app.http.get("/api/v1/receipt").set(app.asReceipt(secret));
      return (body.events as { kind: string }[]).filter(({ kind }) => kind === "visited").length;
    };
    await app.http.get("/api/v1/receipt").set(app.asReceipt(secret)).expect(200);
    assert.equal(await visits(), 0);
    await look().expect(200);
    await look().expect(200);
    assert.equal(await visits(), 1);
    app.advance(601);
    await look().expect(200);
    assert.equal(await visits(), 2);
    await app.open(secret).expect(200);
    app.advance(601);
    await look().expect(410);
    assert.equal(await visits(), 2);

    const { store } = createTestApp();
    const failing = createTestApp({ store: { ...store, note: () => Promise.reject(new Error("away")) } });
    await failing.create(secret);
    await failing.http.get("/api/v1/secret").set(failing.asLink(secret)).expect(200);
  });
});
