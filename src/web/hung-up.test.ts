import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { MemoryStore } from "express-rate-limit";
import { cheapHash } from "../envelope/testing.ts";
import { sealSecret } from "../testing/sealed-secret.ts";
import { createTestApp, type TestApp, type TestAppOptions } from "../testing/test-app.ts";

interface Hanging {
  readonly app: TestApp;
  readonly port: number;
  readonly url: string;
  /** The last body that an answer was ended with. */
  readonly answer: () => unknown;
}

/**
 * An app whose clients can be made to leave in the middle of anything: while `leaving` says so, `pause`
 * cuts the connection and waits until the answer has noticed.
 */
async function hanging(
  options: (pause: () => Promise<void>) => TestAppOptions,
  leaving: () => boolean,
  use: (hanging: Hanging) => Promise<void>,
): Promise<void> {
  let last: ServerResponse | undefined;
  let answer: unknown;
  const app = createTestApp(
    options(async () => {
      if (!last || !leaving()) return;
      const closed = once(last, "close");
      last.socket?.destroy();
      await closed;
    }),
  );
  const server = createServer((req, res) => {
    last = res;
    const end = res.end.bind(res);
    res.end = (body?: unknown) => {
      answer = body;
      return end(body);
    };
    app.handler(req, res);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    await use({ app, port, url: `http://127.0.0.1:${port}`, answer: () => answer });
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

/** What a form needs that was not cut off. */
async function formAt(url: string) {
  const page = await fetch(url);
  const csrf = /name="csrf" value="([^"]*)"/.exec(await page.text())?.[1] ?? "";
  return { csrf, Cookie: page.headers.get("Set-Cookie")?.split(";")[0] ?? "" };
}

describe("A client that hangs up while something is awaited", () => {
  it("leaves no share in memory that was to be sent", async () => {
    const { store } = createTestApp();
    const secret = await sealSecret();
    let opened = () => {};
    const handedOver = new Promise<void>((resolve) => {
      opened = resolve;
    });
    await hanging(
      (pause) => ({
        store: {
          ...store,
          async open(request) {
            const result = await store.open(request);
            await pause();
            setImmediate(opened);
            return result;
          },
        },
      }),
      () => true,
      async ({ app, url, answer }) => {
        await app.create(secret);
        const sent = fetch(`${url}/api/v1/secret/open`, {
          method: "POST",
          headers: { ...app.asLink(secret), "Content-Type": "application/json" },
          body: JSON.stringify({ access: secret.access }),
        });
        await assert.rejects(sent);
        await handedOver;
        const body = answer();
        assert.ok(body instanceof Uint8Array && body.length > 40);
        assert.equal(
          body.some((byte) => byte !== 0),
          false,
        );
      },
    );
  });

  it("gives back the memory that opening its secret would have taken", async () => {
    let leaving = true;
    const secret = await sealSecret({ text: "x".repeat(250_000), passphrase: "rosebud" });
    await hanging(
      (pause) => ({
        env: { MAX_SECRET_BYTES: "256KiB", MAX_FILES: "0" },
        async hashPassphrase(...input) {
          await pause();
          return cheapHash(...input);
        },
      }),
      () => leaving,
      async ({ app, url }) => {
        await app.upload(secret);
        const { csrf, Cookie } = await formAt(`${url}/assisted/open`);
        const open = () =>
          fetch(`${url}/assisted/open`, {
            method: "POST",
            headers: { Cookie },
            body: new URLSearchParams({ csrf, link: secret.linkFragment, passphrase: "wrong" }),
          });
        for (let i = 0; i < 6; i++) await assert.rejects(open());
        leaving = false;
        assert.equal((await open()).status, 403);
      },
    );
  });

  it("gives back the memory that its form would have taken", async () => {
    let leaving = true;
    await hanging(
      (pause) => ({
        limitStore(name) {
          const store = new MemoryStore();
          const increment = store.increment.bind(store);
          store.increment = async (key) => {
            if (name === "create") await pause();
            return increment(key);
          };
          return store;
        },
      }),
      () => leaving,
      async ({ url }) => {
        const { csrf, Cookie } = await formAt(`${url}/assisted`);
        const create = () => {
          const form = new FormData();
          for (const [name, value] of Object.entries({
            csrf,
            secret: "hunter2",
            passphrase: "",
            ttl: "3600",
          }))
            form.append(name, value);
          // As a stream it has no Content-Length, and takes what the largest form would.
          const { body, headers } = new Request(url, { method: "POST", body: form });
          const type = headers.get("Content-Type") ?? "";
          return fetch(`${url}/assisted`, {
            method: "POST",
            headers: { Cookie, "Content-Type": type },
            body,
            duplex: "half",
          });
        };
        for (let i = 0; i < 4; i++) await assert.rejects(create());
        leaving = false;
        assert.equal((await create()).status, 200);
      },
    );
  });

  it("gives back the places of parts that it sent without waiting for answers", async () => {
    let leaving = true;
    let begun = 0;
    const app = createTestApp();
    const server = createServer((req, res) => {
      app.handler(req, res);
      if (++begun % 16 === 0 && leaving) req.socket.destroy();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    try {
      const put = "PUT /api/v1/secret/blob HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n";
      const client = connect(port, "127.0.0.1");
      client.write(`${put}\r\n`.repeat(16));
      await once(client.resume(), "close");
      assert.equal(begun, 16);
      leaving = false;
      // Two at once: the first of the sixteen had its turn, and gave its place back in any case.
      const next = connect(port, "127.0.0.1");
      next.write(`${put}\r\n${put}Connection: close\r\n\r\n`);
      const statuses = [...(await text(next)).matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
      assert.deepEqual(statuses, ["401", "401"]);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });
});
