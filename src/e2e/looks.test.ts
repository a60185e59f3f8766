import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, describe, it } from "node:test";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { launchChromium } from "../testing/chromium.ts";
import { startWaxseal, type Waxseal } from "./rig.ts";
import { type Scene, scenes } from "./screens.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Violation {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** The ways of looking in which nothing may break. */
const looks: Readonly<Record<string, BrowserContextOptions>> = {
  light: { colorScheme: "light", viewport: { width: 1000, height: 800 } },
  dark: { colorScheme: "dark", viewport: { width: 1000, height: 800 } },
  "320 px": { colorScheme: "light", viewport: { width: 320, height: 640 } },
  "forced colours": { forcedColors: "active", viewport: { width: 1000, height: 800 } },
};

describe("every screen", () => {
  let waxseal: Waxseal;
  let browser: Browser;
  let context: BrowserContext | undefined;

  before(async () => {
    waxseal = await startWaxseal({ PASSPHRASE_TRIES: "2", MAX_SECRET_BYTES: "1MiB" });
    browser = await launchChromium({ names: ["waxseal.test"] });
  });
  after(async () => {
    await browser?.close();
    await waxseal?.close();
  });

  async function show(scene: Scene, look: BrowserContextOptions): Promise<Page> {
    await context?.close();
    context = await browser.newContext({ reducedMotion: "reduce", ...look });
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
      for (const [look, options] of Object.entries(looks)) {
        const page = await show(scene, options);
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
    const page = await show(scenes["receipt, sealed"], {});
    await page.locator("#timeline li").waitFor();
    const padding = await page.locator("#timeline li").evaluate((item) => {
      document.documentElement.dir = "rtl";
      const { paddingLeft, paddingRight } = getComputedStyle(item);
      return [paddingLeft, paddingRight];
    });
    assert.deepEqual(padding, ["0px", "16px"]);
  });

  it("breaks the seal without moving where motion is unwelcome", async () => {
    const page = await show(scenes.opened, {});
    const duration = await page
      .locator(".seal-left")
      .evaluate((half) => getComputedStyle(half).transitionDuration);
    assert.equal(duration, "0s");
  });
});
