import assert from "node:assert/strict";
import { once } from "node:events";
import { get, request } from "node:http";
import { createServer } from "node:net";
import { describe, it } from "node:test";
import { freePort } from "./testing/free-port.ts";
import { sealSecret } from "./testing/sealed-secret.ts";
import { launchServer, type ServerProcess, startServer } from "./testing/server-process.ts";
import { until } from "./testing/until.ts";

async function withServer(
  env: Readonly<Record<string, string>>,
  use: (server: ServerProcess) => Promise<void>,
): Promise<void> {
  const server = await startServer(env);
  try {
    await use(server);
  } finally {
    await server.stop();
  }
}

/** What it says when it doesn't start, and its exit code. */
async function launchAndEnd(
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
  port?: number,
) {
  const server = launchServer(port ?? (await freePort()), env, args);
  const code = await server.ended;
  return { code, output: server.output() };
}

/** A request of which the server has the headers and half of the body. */
async function beginRequest(url: string, body: string) {
  const headers = {
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(body),
    Expect: "100-continue",
  };
  const sent = request(`${url}/api/v1/secrets`, { method: "POST", headers, agent: false });
  const answered = once(sent, "response");
  sent.flushHeaders();
  await once(sent, "continue");
  sent.write(body.slice(0, 100));
  return {
    async finish(): Promise<number | undefined> {
      sent.end(body.slice(100));
      const [response] = await answered;
      response.resume();
      return response.statusCode;
    },
  };
}

describe("Starting", () => {
  it("says in one line where it is and what it keeps secrets in", async () => {
    await withServer({}, async ({ port, output }) => {
      const [line = ""] = output().split("\n");
      assert.equal(
        JSON.parse(line).msg,
        `Waxseal is ready at http://localhost:${port} (embedded store: secrets live in this process and end with it)`,
      );
    });
  });

  it("says where it listens where that is not where people find it, and warns of plain http there", async () => {
    await withServer({ PUBLIC_URL: "http://secrets.example.com/w" }, async ({ port, output, url }) => {
      const lines = output();
      assert.match(
        lines,
        new RegExp(`ready at http://secrets.example.com/w, listening on 127.0.0.1:${port} `),
      );
      await fetch(`${url}/healthz`);
      assert.match(output(), /PUBLIC_URL is http:\/\/secrets\.example\.com: browsers turn off encryption/);
    });
  });

  it("names every wrong setting at once and ends with 1", async () => {
    const { code, output } = await launchAndEnd({ MAX_TTL: "0", ASSISTED: "maybe", TRUST_PROXY: "true" });
    assert.equal(code, 1);
    for (const name of ["MAX_TTL", "ASSISTED", "TRUST_PROXY"])
      assert.match(output, new RegExp(`- ${name}: `));
  });

  it("says which setting to change where the port is taken", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const address = taken.address();
    assert.ok(address && typeof address === "object");
    const { code, output } = await launchAndEnd({}, [], address.port);
    taken.close();
    assert.equal(code, 1);
    assert.match(output, new RegExp(`Port ${address.port} is in use\\. .* set PORT`));
  });

  it("says so where the machine does not have the address", async () => {
    const { code, output } = await launchAndEnd({ HOST: "192.0.2.1" });
    assert.equal(code, 1);
    assert.match(output, /does not have the address 192\.0\.2\.1\. Correct HOST/);
  });

  it("knows its modes", async () => {
    const { code, output } = await launchAndEnd({}, ["halt"]);
    assert.equal(code, 1);
    assert.match(output, /There is no mode "halt"/);
  });

  it("serves metrics on their own port only", async () => {
    const metricsPort = await freePort();
    await withServer({ METRICS_PORT: String(metricsPort) }, async ({ url }) => {
      const metrics = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
      assert.equal(metrics.status, 200);
      assert.match(await metrics.text(), /^waxseal_store_up 1$/m);
      assert.equal((await fetch(`${url}/metrics`)).status, 404);
    });
  });
});

describe("The health check", () => {
  it("ends with 0 beside a server that is ready, and with 1 beside none", async () => {
    await withServer({}, async ({ port }) => {
      assert.equal((await launchAndEnd({}, ["healthcheck"], port)).code, 0);
    });
    assert.equal((await launchAndEnd({}, ["healthcheck"])).code, 1);
  });
});

describe("Ending", () => {
  it("stops being ready at once, finishes what is in flight, and ends with 0", async () => {
    await withServer({}, async (server) => {
      const { body } = await sealSecret();
      const slow = await beginRequest(server.url, JSON.stringify(body));
      server.signal("SIGTERM");
      let status = 200;
      while (status === 200) {
        // Refused, where the notice has passed before we came to ask.
        status = await fetch(`${server.url}/readyz`).then(
          (answer) => answer.status,
          () => 503,
        );
      }
      assert.equal(status, 503);
      assert.equal(await slow.finish(), 201);
      assert.equal(await server.ended, 0);
    });
  });

  it("takes two signals in a row, as npm and the terminal send them, for one", async () => {
    await withServer({}, async (server) => {
      const { body } = await sealSecret();
      const slow = await beginRequest(server.url, JSON.stringify(body));
      // At once, so of two kinds: of one kind, the system may hand over one for two.
      server.signal("SIGINT");
      server.signal("SIGTERM");
      // Otherwise it may have ended before it comes to the second.
      await until(() => server.output().includes('"msg":"ending:'));
      assert.equal(await slow.finish(), 201);
      assert.equal(await server.ended, 0);
    });
  });

  it("does not wait for connections that are only kept open", async () => {
    await withServer({}, async (server) => {
      const kept = get(`${server.url}/healthz`, { headers: { Connection: "keep-alive" } });
      const [response] = await once(kept, "response");
      response.resume();
      server.signal("SIGINT");
      assert.equal(await server.ended, 0);
    });
  });
});
