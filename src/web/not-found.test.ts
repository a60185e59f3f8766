import assert from "node:assert/strict";
import { type IncomingHttpHeaders, request } from "node:http";
import { describe, it } from "node:test";
import type { Response } from "supertest";
import { newClaim, type SealedSecret, sealSecret } from "../testing/sealed-secret.ts";
import { createTestApp, type TestApp } from "../testing/test-app.ts";

/** What everybody can see of an answer, but for what differs from one request to the next anyway. */
function visible({ status, headers, text, body }: Response) {
  const { date, "x-request-id": requestId, ratelimit, ...rest } = headers;
  assert.ok(date && requestId);
  return { status, headers: rest, text: text ?? String(body) };
}

const calls = [
  ["get", "/api/v1/secret", undefined],
  ["head", "/api/v1/secret", undefined],
  ["get", "/api/v1/secret/blob", undefined],
  ["post", "/api/v1/secret/open", "open"],
  ["post", "/api/v1/secret/ack", "ack"],
  ["get", "/api/v1/receipt", undefined],
  ["delete", "/api/v1/receipt/secret", undefined],
  ["post", "/api/v1/receipt/unlock", undefined],
] as const;

function ask(
  { http }: TestApp,
  [method, path, kind]: (typeof calls)[number],
  bearer: string,
  secret: SealedSecret,
) {
  const request = http[method](path).set("Authorization", `Bearer ${bearer}`);
  if (kind === "open") return request.send({ access: secret.access });
  if (kind === "ack") return request.send({ claim: newClaim() });
  return request;
}

/** The same token with its last byte changed: the right id and a wrong proof. */
function wrongProof(token: string): string {
  const [prefix = "", text = ""] = token.split(/(?<=^ws[lr]_)/);
  const bytes = Buffer.from(text, "base64url");
  bytes[47] = (bytes[47] ?? 0) ^ 1;
  return prefix + bytes.toString("base64url");
}

describe("The one 404", () => {
  it("is the same, byte for byte, for an unknown id and for a wrong proof, on every call", async () => {
    const app = createTestApp({ env: { RATE_LIMIT_MISS: "1000/1m" } });
    const secret = await sealSecret();
    const unknown = await sealSecret();
    await app.create(secret);
    for (const call of calls) {
      const kind = call[1].includes("receipt") ? "receipt" : "link";
      const forUnknown = await ask(app, call, unknown[kind], unknown);
      const forWrong = await ask(app, call, wrongProof(secret[kind]), secret);
      assert.equal(forUnknown.status, 404, call.join(" "));
      assert.deepEqual(visible(forWrong), visible(forUnknown), call.join(" "));
    }
    await app.open(secret).expect(200);
  });

  it("is the same for a secret that was deleted, and for one that is forgotten", async () => {
    const app = createTestApp({ env: { RETENTION: "60s" } });
    const secret = await sealSecret();
    const unknown = await sealSecret();
    await app.create(secret);
    await app.http.delete("/api/v1/receipt/secret").set(app.asReceipt(secret)).expect(200);
    const call = ["get", "/api/v1/secret", undefined] as const;
    const forWrong = await ask(app, call, wrongProof(secret.link), secret);
    app.advance(3600 + 60);
    const forForgotten = await ask(app, call, secret.link, secret);
    const forUnknown = await ask(app, call, unknown.link, unknown);
    assert.equal(forUnknown.status, 404);
    assert.deepEqual(visible(forWrong), visible(forUnknown));
    assert.deepEqual(visible(forForgotten), visible(forUnknown));
  });

  it("uses nothing up for 1,000 requests that have an id but no proof", async () => {
    const app = createTestApp({ env: { RATE_LIMIT_MISS: "1000000/1m", RATE_LIMIT_OPEN: "1000000/1m" } });
    const secret = await sealSecret({ passphrase: "rosebud" });
    await app.create(secret);
    const headers = {
      Authorization: `Bearer ${wrongProof(secret.link)}`,
      "Content-Type": "application/json",
    };
    const body = JSON.stringify({ access: secret.access });
    await app.listening(async (url) => {
      for (let round = 0; round < 20; round++) {
        const answers = Array.from({ length: 50 }, async () => {
          const answer = await fetch(`${url}/api/v1/secret/open`, { method: "POST", headers, body });
          await answer.arrayBuffer();
          return answer.status;
        });
        assert.deepEqual(new Set(await Promise.all(answers)), new Set([404]));
      }
    });
    const seen = await app.http.get("/api/v1/secret").set(app.asLink(secret)).expect(200);
    assert.equal(seen.body.triesLeft, 10);
    await app.open(secret).expect(200);
  });

  it("answers addresses and methods that do not exist with a problem under /api, and with a page elsewhere", async () => {
    const { http } = createTestApp();
    for (const [method, path] of [
      ["get", "/api/v1/nothing"],
      ["get", "/api/v1/secret/"],
      ["get", "/api/v1/secrets"],
      ["post", "/api/v1/receipt"],
      ["put", "/api/v1/secret"],
      ["post", "/api/v1/secret/blob"],
      ["options", "/api/v1/secret"],
      ["get", "/api/"],
    ] as const) {
      const response = await http[method](path).set("Accept", "text/html").expect(404);
      assert.match(response.get("Content-Type") ?? "", /^application\/problem\+json/, path);
      assert.equal(response.body.code, "not-found");
    }
    await http.get("/API/v1/secret").expect(404);
    const page = await http.get("/nowhere").set("Accept", "text/html").expect(404);
    assert.match(page.get("Content-Type") ?? "", /^text\/html/);
    const problem = await http.get("/nowhere").set("Accept", "application/json").expect(404);
    const program = await http.get("/nowhere").set("Accept", "*/*").expect(404);
    assert.match(program.get("Content-Type") ?? "", /^application\/problem\+json/);
    assert.equal(problem.body.code, "not-found");
  });

  it("is a 400 for an address that can't be decoded", async () => {
    const { http } = createTestApp();
    const response = await http.get("/assets/%E0%A4%A").set("Accept", "application/json").expect(400);
    assert.equal(response.body.code, "invalid");
  });
});

describe("The token of a request", () => {
  it("is a 401 where there is none, or none of the right shape", async () => {
    const app = createTestApp();
    const { link, receipt } = await sealSecret();
    for (const header of [
      undefined,
      "",
      "Bearer",
      "Bearer ",
      `Basic ${link}`,
      `Bearer ${link}=`,
      `Bearer ${link.slice(0, -1)}`,
      `Bearer ${link}A`,
      `Bearer ${receipt}`,
      `Bearer ${link.slice(4)}`,
      `Bearer ${link}, Bearer ${link}`,
    ]) {
      const request = app.http.get("/api/v1/secret");
      if (header !== undefined) request.set("Authorization", header);
      const response = await request.expect(401);
      assert.equal(response.body.code, "unauthorized", header);
      assert.equal(response.get("WWW-Authenticate"), 'Bearer realm="waxseal"');
    }
  });

  it("is found nowhere but in the header", async () => {
    const app = createTestApp();
    const secret = await sealSecret();
    await app.create(secret);
    await app.http.get(`/api/v1/secret?access_token=${secret.link}`).expect(401);
    await app.http.get("/api/v1/secret").set("Cookie", `bearer=${secret.link}`).expect(401);
  });

  it("may name its scheme in any case", async () => {
    const app = createTestApp();
    const secret = await sealSecret();
    await app.create(secret);
    await app.http.get("/api/v1/secret").set("Authorization", `bearer ${secret.link}`).expect(200);
  });
});

describe("A request target that is no path", () => {
  const ask = (url: string, method: string, path: string) =>
    new Promise<{ status: number | undefined; headers: IncomingHttpHeaders; body: string }>(
      (resolve, reject) => {
        const sent = request(url, { method, path }, (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("end", () => {
            const { statusCode: status, headers } = response;
            resolve({ status, headers, body: Buffer.concat(chunks).toString() });
          });
        });
        sent.on("error", reject).end();
      },
    );

  it("gets the one 404, with our headers, like every other address that is nowhere", async () => {
    const app = createTestApp();
    await app.listening(async (url) => {
      const usual = await ask(url, "GET", "/nowhere");
      for (const [method, path] of [
        ["OPTIONS", "*"],
        ["GET", "http://[::1"],
        ["GET", "http://"],
      ] as const) {
        const { status, headers, body } = await ask(url, method, path);
        assert.equal(status, 404, path);
        assert.equal(body, usual.body, path);
        assert.equal(headers["content-security-policy"], usual.headers["content-security-policy"], path);
        assert.ok(headers["x-request-id"], path);
      }
    });
  });

  it("may be a whole address", async () => {
    await createTestApp().listening(async (url) => {
      assert.equal((await ask(url, "GET", "http://example.com/healthz?x")).status, 200);
    });
  });
});
