import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import type { Browser } from "playwright-core";
import { findChromium, launchChromium } from "./chromium.ts";

describe("launchChromium", () => {
  let browser: Browser;
  let server: Server;
  let port: number;

  before(async () => {
    server = createServer((_request, response) => {
      response.setHeader("content-type", "text/html");
      response.end(
        "<!doctype html><title>off</title><script>document.title = String(isSecureContext)</script>",
      );
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    ({ port } = server.address() as AddressInfo);
    browser = await launchChromium({ names: ["waxseal.test"] });
  });
  after(async () => {
    await browser?.close();
    server.closeAllConnections();
    server.close();
  });

  async function titleOf(url: string, options: { javaScriptEnabled?: boolean } = {}): Promise<string> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    await page.goto(url);
    const title = await page.title();
    await context.close();
    return title;
  }

  it("opens pages of this machine as a secure context", async () => {
    assert.equal(await titleOf(`http://127.0.0.1:${port}/`), "true");
  });

  it("opens a mapped name over plain http as an insecure one", async () => {
    assert.equal(await titleOf(`http://waxseal.test:${port}/`), "false");
  });

  it("runs no script in a context where script is off", async () => {
    assert.equal(await titleOf(`http://127.0.0.1:${port}/`, { javaScriptEnabled: false }), "off");
  });
});

describe("findChromium", () => {
  it("says what to install where there is none", () => {
    assert.throws(() => findChromium("/nowhere:"), /apt-get install chromium/);
    assert.throws(() => findChromium(undefined), /apt-get install chromium/);
  });
});
