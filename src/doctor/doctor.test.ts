import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { after, before, describe, it } from "node:test";
import { freePort } from "../testing/free-port.ts";
import { launchServer, type ServerProcess, startServer } from "../testing/server-process.ts";
import { visit, visitOnce } from "./testing.ts";

let server: ServerProcess;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

describe("The doctor", () => {
  it("finds nothing wrong with a server as anybody starts it, and says what it looked at", async () => {
    const { code, output, worries } = await visit({ PORT: String(server.port) });
    assert.deepEqual(worries, []);
    assert.equal(code, 0);
    for (const name of [
      "configuration",
      "secure context",
      "DNS",
      "page",
      "readiness",
      "security headers",
      "scripts and styles",
      "clock",
      "proxy trust",
      "round trip",
      "store",
    ]) {
      assert.match(output, new RegExp(`^ok +${name}: `, "m"));
    }
    assert.match(output, /^0 problem\(s\), 0 warning\(s\)\.$/m);
  });

  it("runs as a mode of the program, and its exit code says whether something is wrong", async () => {
    const well = launchServer(server.port, {}, ["doctor"]);
    assert.equal(await well.ended, 0, well.output());
    const unwell = launchServer(await freePort(), {}, ["doctor"]);
    assert.equal(await unwell.ended, 1);
    assert.match(unwell.output(), /^problem +page: .*nothing listens there.*Start the server/m);
  });

  it("needs nothing but an address, as where it looks at a server from outside", async () => {
    const { code, worries, says } = await visit({}, "--url", server.url);
    assert.equal(code, 0);
    assert.equal(worries.length, 1);
    says("skipped", "proxy trust", /leads past the proxies/);
    says("ok", "round trip", /opened once/);
  });

  it("tells every mistake in the configuration, and looks at the address it is given all the same", async () => {
    const env = { MAX_TTL: "0", TRUST_PROXY: "true" };
    const alone = await visit(env);
    for (const name of Object.keys(env)) alone.says("problem", "configuration", new RegExp(name));
    alone.says("skipped", "not checked", /the service and Redis/);
    const pointed = await visit(env, "--url", server.url);
    pointed.says("ok", "round trip", /opened once/);
    assert.equal(pointed.code, 1);
  });

  it("says how it is called where it is called otherwise, and repeats nothing of it", async () => {
    for (const args of [["--url"], ["--ulr", "x"], ["rosebud"], ["--url", "http://u:rosebud@localhost"]]) {
      const { code, output } = await visit({}, ...args);
      assert.equal(code, 1);
      assert.match(output, /Usage: doctor \[--url URL\]/);
      assert(!output.includes("rosebud"));
    }
  });

  it("gives up on a server that accepts connections and says nothing", async () => {
    const silent = createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    const address = silent.address();
    assert(address && typeof address === "object");
    const at = `127.0.0.1:${address.port}`;
    try {
      const [http, https, redis] = await Promise.all([
        visitOnce({ PUBLIC_URL: `http://${at}` }),
        visitOnce({ PUBLIC_URL: `https://${at}` }),
        visitOnce({ PORT: String(server.port), REDIS_URL: `redis://${at}` }),
      ]);
      http.says("problem", "page", /no answer within 4 seconds/);
      https.says("problem", "certificate", /https can't be spoken.*ETIMEDOUT/);
      redis.says("problem", "Redis", /does not answer.*correct REDIS_URL/);
    } finally {
      silent.close();
    }
  });
});
