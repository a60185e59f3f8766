import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createTestApp } from "../testing/test-app.ts";

async function takesText(publicUrl: string): Promise<boolean> {
  const { http } = createTestApp({ env: { PUBLIC_URL: publicUrl } });
  const { text } = await http.get("/assisted").expect(200);
  return text.includes("<textarea");
}

describe("The assisted pages", () => {
  it("take a text over https, and from this machine by each of its names", async () => {
    for (const url of [
      "https://secrets.example.com",
      "http://localhost:8080",
      "http://waxseal.localhost",
      "http://127.0.0.2",
      "http://[::1]:8080",
    ]) {
      assert.ok(await takesText(url), url);
    }
  });

  it("take nothing over plain http, and say why", async () => {
    assert.ok(!(await takesText("http://intranet")));
    assert.ok(!(await takesText("http://localhost.example.com")));
  });
});
