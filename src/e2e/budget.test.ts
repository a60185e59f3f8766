import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Browser } from "playwright-core";
import { launchChromium } from "../testing/chromium.ts";
import { startWaxseal, type Waxseal } from "./rig.ts";

const MAX_REQUESTS = 5;
const MAX_BYTES = 35 * 1024;
const MAX_SCRIPT_BYTES = 15 * 1024;

describe("the create page's budget", () => {
  let waxseal: Waxseal;
  let browser: Browser;

  before(async () => {
    waxseal = await startWaxseal();
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    await waxseal?.close();
  });

  it("is kept: at most 5 requests and 35 KB gzipped, 15 KB of it script, all from this origin", async (t) => {
    const page = await (await browser.newContext()).newPage();
    const urls = new Set<string>();
    page.on("request", (request) => urls.add(request.url()));
    await page.goto(`${waxseal.url}/`, { waitUntil: "networkidle" });
    // A headless browser shows no tab, so it may leave the icon out; a person's won't.
    const icon = await page.locator('link[rel="icon"]').getAttribute("href");
    urls.add(new URL(icon ?? "", waxseal.url).href);

    let bytes = 0;
    let scriptBytes = 0;
    for (const url of urls) {
      assert.ok(url.startsWith(waxseal.url), `${url} is another origin's`);
      const session = await fetch(url, { headers: { "Accept-Encoding": "gzip" } });
      await session.arrayBuffer();
      const length = Number(session.headers.get("Content-Length"));
      assert.ok(length > 0, `${url} says no length`);
      bytes += length;
      if (session.headers.get("Content-Type")?.startsWith("text/javascript")) scriptBytes += length;
      t.diagnostic(`${String(length).padStart(6)} bytes gzipped  ${new URL(url).pathname}`);
    }
    t.diagnostic(`${urls.size} requests, ${bytes} bytes gzipped, ${scriptBytes} of them script`);
    assert.ok(urls.size <= MAX_REQUESTS, `${urls.size} requests`);
    assert.ok(bytes <= MAX_BYTES, `${bytes} bytes`);
    assert.ok(scriptBytes <= MAX_SCRIPT_BYTES, `${scriptBytes} bytes of script`);
  });
});
