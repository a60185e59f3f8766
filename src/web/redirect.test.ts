import assert from "node:assert/strict";
import { createServer } from "node:http";
import { describe, it } from "node:test";
import supertest from "supertest";
import { createRedirect } from "./redirect.ts";

function redirectTo(publicUrl: string) {
  const url = new URL(publicUrl);
  const basePath = url.pathname === "/" ? "" : url.pathname;
  return supertest(createServer(createRedirect({ publicUrl: url, basePath })));
}

describe("Plain http beside https", () => {
  const http = redirectTo("https://secrets.example.com:8443");

  for (const page of ["/", "/s", "/r", "/assisted", "/assisted/open"]) {
    it(`sends people on from ${page} to the same page, keeping nothing of the query`, async () => {
      for (const asked of [page, `${page}?next=//evil.example`]) {
        const answer = await http.get(asked).redirects(0);
        assert.equal(answer.status, 308);
        assert.equal(answer.headers.location, `https://secrets.example.com:8443${page}`);
        assert.equal(answer.headers["strict-transport-security"], undefined);
      }
      assert.equal((await http.head(page).redirects(0)).status, 308);
    });
  }

  it("never sends anybody where the request's Host or path says", async () => {
    const forged = await http.get("/s").set("Host", "evil.example").set("X-Forwarded-Host", "evil.example");
    assert.equal(forged.headers.location, "https://secrets.example.com:8443/s");
    for (const path of [
      "//evil.example/s",
      "/%2f%2fevil.example",
      "/\\evil.example",
      "/s/../s",
      "/s%0d%0aX: y",
    ]) {
      const answer = await http.get(path).redirects(0);
      assert.equal(answer.headers.location, undefined, path);
      assert.equal(answer.status, 404, path);
    }
  });

  it("refuses the API instead of sending a token after it", async () => {
    for (const path of ["/api/v1/secret", "/api/v1/receipt"]) {
      const answer = await http.get(path).set("Authorization", "Bearer wsl_x").redirects(0);
      assert.equal(answer.status, 403);
      assert.match(answer.text, /not served without encryption.*Use https:\/\/secrets\.example\.com:8443\//);
    }
  });

  it("takes no other method, and says where to go", async () => {
    for (const method of ["post", "put", "delete", "options"] as const) {
      const answer = await http[method]("/assisted").redirects(0);
      assert.equal(answer.status, 405);
      assert.equal(answer.headers.allow, "GET, HEAD");
      assert.match(answer.text, /Use https:\/\/secrets\.example\.com:8443\//);
    }
  });

  it("answers health checks itself", async () => {
    assert.equal((await http.get("/healthz")).status, 200);
  });

  it("knows the path that the service is mounted at", async () => {
    const mounted = redirectTo("https://example.com/waxseal");
    for (const [asked, target] of [
      ["/", "/waxseal/"],
      ["/waxseal", "/waxseal/"],
      ["/waxseal/", "/waxseal/"],
      ["/waxseal/s", "/waxseal/s"],
    ] as const) {
      const answer = await mounted.get(asked).redirects(0);
      assert.equal(answer.headers.location, `https://example.com${target}`);
    }
    assert.equal((await mounted.get("/s").redirects(0)).status, 404);
    assert.equal((await mounted.get("/waxseal/api/v1/secret")).status, 403);
  });
});
