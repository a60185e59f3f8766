import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createTestApp } from "../testing/test-app.ts";

const { http } = createTestApp();

async function encodingOf(address: string, accepted: string): Promise<string | undefined> {
  const response = await http.get(address).set("Accept-Encoding", accepted).expect(200);
  assert.match(response.get("Vary") ?? "", /Accept-Encoding/);
  return response.get("Content-Encoding");
}

describe("A page and its files", () => {
  it("come brotli-compressed to who takes that, in whatever order browsers name it", async () => {
    const page = await http.get("/").expect(200);
    const style = /href="(\/assets\/waxseal-[^"]+\.css)"/.exec(page.text)?.[1] ?? "";
    for (const address of ["/", style]) {
      assert.equal(await encodingOf(address, "gzip, deflate, br, zstd"), "br");
      assert.equal(await encodingOf(address, "br"), "br");
    }
  });

  it("come otherwise as gzip, or as they are", async () => {
    assert.equal(await encodingOf("/", "gzip, deflate"), "gzip");
    assert.equal(await encodingOf("/", "gzip, br;q=0"), "gzip");
    assert.equal(await encodingOf("/", "identity"), undefined);
    assert.equal(await encodingOf("/", "gzip;q=0, br;q=0"), undefined);
  });
});
