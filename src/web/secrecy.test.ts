import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StoreUnavailableError } from "../store/store.ts";
import { driveEveryFlow, findNeedles } from "../testing/every-flow.ts";
import { newClaim, sealSecret } from "../testing/sealed-secret.ts";
import { startServer } from "../testing/server-process.ts";
import { createTestApp } from "../testing/test-app.ts";

describe("What is written down", () => {
  it("is nothing that could open, name or confirm a secret, whatever is done to a running server", async () => {
    const server = await startServer({ LOG_LEVEL: "trace" });
    try {
      const needles = await driveEveryFlow(server.url);
      server.signal("SIGTERM");
      assert.equal(await server.ended, 0);
      const output = server.output();
      // It did write, of every kind of event, so that finding nothing means something.
      for (const event of ["created", "opened", "redelivered", "deleted", "locked", "unlocked", "denied"]) {
        assert.match(output, new RegExp(`"audit":"${event}"`));
      }
      for (const status of [200, 201, 204, 400, 401, 403, 404, 409, 410, 413, 423, 429]) {
        assert.match(output, new RegExp(`"status":${status}`));
      }
      assert.deepEqual(findNeedles(output, needles), []);
    } finally {
      await server.stop();
    }
  });

  it("is nothing of that in the metrics either", async () => {
    const app = createTestApp({ env: { RATE_LIMIT_MISS: "30/1m" } });
    const needles = await app.listening(driveEveryFlow);
    assert.deepEqual(findNeedles(await app.metrics.registry.metrics(), needles), []);
    assert.deepEqual(findNeedles(JSON.stringify(app.logLines()), needles), []);
  });

  it("is nothing of that in answers to errors that nobody foresaw, or in the lines about them", async () => {
    const secret = await sealSecret();
    const needles = new Map([
      ["share", Buffer.from(secret.body.share, "base64url")],
      ["text", Buffer.from(secret.text)],
    ]);
    const command = { name: "set", args: [secret.body.share, secret.text] };
    const reply = Object.assign(new Error(`ERR wrong arguments: '${secret.text}'`), { command });
    reply.name = "ReplyError";
    for (const thrown of [
      reply,
      new StoreUnavailableError({ cause: reply }),
      Object.assign(new TypeError(`${secret.body.share} is not iterable`), { command }),
      secret.body.share,
    ]) {
      const { store } = createTestApp();
      const broken = createTestApp({ store: { ...store, create: () => Promise.reject(thrown) } });
      const response = await broken.http.post("/api/v1/secrets").send(secret.body);
      assert.ok(response.status === 500 || response.status === 503);
      assert.ok(broken.logLines().some(({ msg }) => msg === "request failed"));
      assert.deepEqual(findNeedles(JSON.stringify(broken.logLines()) + response.text, needles), []);
    }
  });
});

describe("The search for what must not be written down", () => {
  it("finds a secret's parts in any spelling, and inside of other tokens", async () => {
    const secret = await sealSecret();
    const id = Buffer.from(secret.body.id, "base64url");
    const needles = new Map([["id", id]]);
    const inside = Buffer.concat([Buffer.from([1]), id, Buffer.from([2, 3])]);
    for (const text of [
      secret.body.id,
      id.toString("hex"),
      id.toString("base64"),
      secret.link,
      secret.receipt,
      inside.toString("base64url"),
      inside.toString("base64"),
      Buffer.concat([Buffer.from([1]), inside]).toString("base64"),
    ]) {
      assert.deepEqual(findNeedles(`{"line":"${text}"}`, needles), ["id"], text);
    }
    assert.deepEqual(findNeedles(newClaim(), needles), []);
  });
});
