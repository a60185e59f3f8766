import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, describe, it } from "node:test";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { launchChromium } from "../testing/chromium.ts";
import { type Scene, startWaxseal, type Waxseal } from "./rig.ts";
import { scenes } from "./screens.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Violation {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly html: string }[];
}

interface Look {
  readonly colorScheme: "light" | "dark";
  readonly forcedColors: "none" | "active";
  readonly width: number;
}

/** The ways of looking in which nothing may break. Styles alone tell them apart, so one visit shows them all. */
const looks: Readonly<Record<string, Look>> = {
  light: { colorScheme: "light", forcedColors: "none", width: 1000 },
  dark: { colorScheme: "dark", forcedColors: "none", width: 1000 },
  "320 px": { colorScheme: "light", forcedColors: "none", width: 320 },
  "forced colours": { colorScheme: "light", forcedColors: "active", width: 1000 },
};

describe("every screen", () => {
  let waxseal: Waxseal;
  let browser: Browser;
  let context: BrowserContext | undefined;

  before(async () => {
    waxseal = await startWaxseal({
      PASSPHRASE_TRIES: "2",
      MAX_SECRET_BYTES: "1MiB",
      GEOIP_DB: "/nowhere/countries.mmdb",
      SMTP_URL: "smtp://127.0.0.1:2525",
      SMTP_FROM: "waxseal@example.test",
      SMTP_ALLOW_DOMAINS: "example.test",
    });
    browser = await launchChromium({ names: ["waxseal.test"] });
  });
  after(async () => {
    await browser?.close();
    await waxseal?.close();
  });

  async function show(scene: Scene, options: BrowserContextOptions = {}): Promise<Page> {
    await context?.close();
    context = await browser.newContext({ reducedMotion: "reduce", ...options });
    const page = await context.newPage();
    await scene(page, waxseal);
    return page;
  }

  /** The debugger puts axe into the page, so that the page's own policies stay as they are. */
  async function violations(page: Page): Promise<string[]> {
    await page.evaluate(axe);
    const found = await page.evaluate(async () => {
      const page = globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } };
      return (await page.axe.run()).violations;
    });
    return found.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(" ")}`);
  }

  for (const [name, scene] of Object.entries(scenes)) {
    it(`${name}: axe finds nothing, in light, dark and forced colours, and nothing runs off a 320 px page`, async () => {
      const page = await show(scene);
      for (const [look, { width, ...media }] of Object.entries(looks)) {
        await page.setViewportSize({ width, height: 800 });
        await page.emulateMedia({ reducedMotion: "reduce", ...media });
        const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wider <= 0, `${look}: ${wider} px wider than the window`);
        assert.deepEqual(await violations(page), [], look);
      }
    });
  }

  it("survives text at twice its size and right-to-left on the create page", async () => {
    const page = await show(scenes.create, {
      viewport: { width: 640, height: 800 },
    });
    await page.evaluate(() => {
      document.documentElement.style.fontSize = "200%";
      document.documentElement.dir = "rtl";
    });
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wider <= 0, `${wider} px wider than the window`);
  });

  it("keeps a receipt's timeline off its line right-to-left too", async () => {
    const page = await show(scenes["receipt, sealed"]);
    await page.locator("#timeline li").waitFor();
    // Looked up in one go with its style: the stream's first word replaces the items.
    const padding = await page.evaluate(() => {
      document.documentElement.dir = "rtl";
      const item = document.querySelector("#timeline li");
      if (!item) throw new Error("The timeline is empty.");
      const { paddingLeft, paddingRight } = getComputedStyle(item);
      return [paddingLeft, paddingRight];
    });
    assert.deepEqual(padding, ["0px", "16px"]);
  });

  it("breaks the seal without moving where motion is unwelcome", async () => {
    const page = await show(scenes.opened);
    const duration = await page
      .locator(".seal-left")
      .evaluate((half) => getComputedStyle(half).transitionDuration);
    assert.equal(duration, "0s");
  });
});
