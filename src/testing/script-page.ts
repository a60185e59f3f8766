import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { launchChromium } from "./chromium.ts";

export interface ScriptPage {
  readonly page: Page;
  readonly browser: Browser;
  close(): Promise<void>;
}

/**
 * One of our modules in Chromium: bundled, and served from 127.0.0.1, which is a secure context. What
 * it exports is there under `globalName`.
 */
export async function openScriptPage(module: URL, globalName: string): Promise<ScriptPage> {
  const { outputFiles } = await build({
    entryPoints: [module.pathname],
    bundle: true,
    write: false,
    format: "iife",
    globalName,
    logLevel: "silent",
  });
  const script = outputFiles[0]?.text ?? "";
  const server = createServer((request, response) => {
    const isScript = request.url === "/script.js";
    response.setHeader(
      "content-type",
      isScript ? "text/javascript; charset=utf-8" : "text/html; charset=utf-8",
    );
    response.end(
      isScript ? script : '<!doctype html><title>script</title><script src="/script.js"></script>',
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");

  let browser: Browser | undefined;
  const stop = async () => {
    await browser?.close();
    server.closeAllConnections();
    server.close();
  };
  try {
    browser = await launchChromium();
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    return { page, browser, close: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
