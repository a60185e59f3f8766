import assert from "node:assert/strict";
import { it } from "node:test";
import { sealSecret } from "../testing/sealed-secret.ts";
import { createTestApp } from "../testing/test-app.ts";

/** Every path of ours that a GET can reach, found by following the pages' own links besides. */
const SEEDS = [
  "/",
  "/s",
  "/r",
  "/links",
  "/assisted",
  "/assisted/open",
  "/assisted/receipt",
  "/robots.txt",
  "/healthz",
  "/readyz",
  "/api/v1/secrets",
  "/api/v1/secret",
  "/api/v1/secret/blob",
  "/api/v1/secret/open",
  "/api/v1/secret/ack",
  "/api/v1/receipt",
  "/api/v1/receipt/events",
  "/api/v1/receipt/secret",
  "/api/v1/receipt/unlock",
];

function linksIn(html: string): string[] {
  return [...html.matchAll(/(?:href|src|action)="([^"#]*)/g)]
    .map(([, address = ""]) => new URL(address, "http://localhost:8080"))
    .filter(({ origin }) => origin === "http://localhost:8080")
    .map(({ pathname }) => pathname);
}

it("A GET or a HEAD of everything, 100 times over and with both tokens, uses nothing up", async () => {
  const app = createTestApp({ env: { RATE_LIMIT_MISS: "1000000/1m" } });
  const secret = await sealSecret({ passphrase: "rosebud" });
  await app.create(secret);

  await app.listening(async (base) => {
    const paths = new Set(SEEDS);
    for (const path of paths) {
      const answer = await fetch(base + path, { headers: { Accept: "text/html" } });
      const text = await answer.text();
      if (!answer.headers.get("Content-Type")?.startsWith("text/html")) continue;
      for (const link of linksIn(text)) paths.add(link);
    }
    assert.ok([...paths].some((path) => path.startsWith("/assets/")));

    for (let round = 0; round < 100; round++) {
      const bearer = [undefined, secret.link, secret.receipt][round % 3];
      const headers = bearer ? { Authorization: `Bearer ${bearer}` } : {};
      const visit = async (method: string, path: string) => {
        const answer = await fetch(base + path, { method, headers });
        // A stream has no end of its own.
        if (answer.headers.get("Content-Type")?.startsWith("text/event-stream")) await answer.body?.cancel();
        else await answer.arrayBuffer();
        assert.ok(answer.status < 500, `${method} ${path}: ${answer.status}`);
      };
      await Promise.all([...paths].flatMap((path) => [visit("GET", path), visit("HEAD", path)]));
    }
  });

  const receipt = await app.http.get("/api/v1/receipt").set(app.asReceipt(secret)).expect(200);
  assert.equal(receipt.body.state, "sealed");
  assert.equal(receipt.body.triesLeft, 10);
  assert.deepEqual(
    receipt.body.events.map(({ kind }: { kind: string }) => kind),
    ["sealed", "visited"],
  );
  await app.open(secret).expect(200);
});
