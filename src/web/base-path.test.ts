import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sealSecret } from "../testing/sealed-secret.ts";
import { createTestApp } from "../testing/test-app.ts";

describe("PUBLIC_URL with a path", () => {
  for (const path of ["/waxseal", "/tools/one-time", "/a.b~c"]) {
    it(`mounts everything below ${path}, and nothing of it elsewhere`, async () => {
      const app = createTestApp({ env: { PUBLIC_URL: `https://example.com${path}` } });
      const secret = await sealSecret();
      for (const address of [
        path,
        `${path}/`,
        `${path}/s`,
        `${path}/r`,
        `${path}/links`,
        `${path}/robots.txt`,
      ]) {
        await app.http.get(address).expect(200);
      }
      await app.create(secret);
      await app.http.get(`${path}/api/v1/secret`).set(app.asLink(secret)).expect(200);
      await app.open(secret).expect(200);
      for (const address of ["/", "/s", "/api/v1/secret", `${path}x/s`, path.toUpperCase()]) {
        await app.http.get(address).set("Accept", "application/json").expect(404);
      }
      const problem = await app.http.get(`${path}/api/none`).set("Accept", "text/html").expect(404);
      assert.match(problem.get("Content-Type") ?? "", /^application\/problem\+json/);
    });

    it(`logs the route without ${path}`, async () => {
      const app = createTestApp({ env: { PUBLIC_URL: `https://example.com${path}` } });
      await app.http.get(`${path}/s`).expect(200);
      const line = app.logLines().find(({ msg }) => msg === "request");
      assert.equal(line?.route, "/s");
    });
  }
});
