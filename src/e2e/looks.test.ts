import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, describe, it } from "node:test";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { launchChromium } from "../testing/chromium.ts";
import { deleteByReceipt, share, startWaxseal, type Waxseal } from "./rig.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Violation {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** Every screen and state that a person can come to, and how to get there. */
type Scene = (page: Page, waxseal: Waxseal) => Promise<unknown>;

const at = (name: string) => (page: Page) => page.getByRole("heading", { name, exact: true }).waitFor();
const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();

const scenes: Readonly<Record<string, Scene>> = {
  create: (page, { url }) => page.goto(`${url}/`),
  "create, nothing entered": async (page, { url }) => {
    await page.goto(`${url}/`);
    await press(page, "Create link");
    await at("There is a problem")(page);
  },
  ready: async (page, { url }) => {
    await page.goto(`${url}/`);
    await page.getByLabel("Secret", { exact: true }).fill("hunter2");
    await page.getByLabel(/^Passphrase/).fill("correct horse");
    await press(page, "Create link");
    await at("Your link is ready")(page);
    await press(page, "QR");
    await page.locator("#qr svg").waitFor();
  },
  waiting: async (page, { url }) => {
    await page.goto((await share(url)).link);
    await at("Someone sent you a secret")(page);
  },
  "wrong passphrase": async (page, { url }) => {
    await page.goto((await share(url, { passphrase: "correct horse" })).link);
    await page.getByLabel("Passphrase").fill("wrong");
    await press(page, "Open secret");
    await page.getByText("That passphrase is wrong.").waitFor();
  },
  opened: async (page, { url }) => {
    await page.goto((await share(url, { text: `${"a long line ".repeat(30)}\n${"x".repeat(300)}` })).link);
    await press(page, "Open secret");
    await at("Here's your secret")(page);
  },
  "already opened": async (page, waxseal) => {
    await scenes.opened?.(page, waxseal);
    await page.reload();
    await at("Already opened")(page);
  },
  expired: async (page, waxseal) => {
    const { link } = await share(waxseal.url, { ttl: 60 });
    waxseal.advance(61);
    await page.goto(link);
    await at("Expired")(page);
  },
  deleted: async (page, { url }) => {
    const shared = await share(url);
    await deleteByReceipt(url, shared);
    await page.goto(shared.link);
    await at("Deleted")(page);
  },
  locked: async (page, { url }) => {
    await page.goto((await share(url, { passphrase: "correct horse" })).link);
    for (const wrong of ["1", "2"]) {
      await page.getByLabel("Passphrase").fill(wrong);
      await press(page, "Open secret");
      await page.locator("button[aria-busy]").waitFor({ state: "detached" });
    }
    await at("Locked")(page);
  },
  unknown: async (page, { url }) => {
    const { link } = await share(url);
    await page.route("**/api/v1/secret", (route) =>
      route.fulfill({ status: 404, contentType: "application/problem+json", body: '{"code":"not-found"}' }),
    );
    await page.goto(link);
    await at("We can't find this secret")(page);
  },
  incomplete: async (page, { url }) => {
    await page.goto(`${url}/s#abc`);
    await at("Part of this link is missing")(page);
  },
  held: async (page, { url }) => {
    await page.route("**/api/v1/secret/open", (route) => route.abort());
    await page.goto((await share(url)).link);
    await press(page, "Open secret");
    await at("The connection was lost")(page);
  },
  "own link": async (page, { url }) => {
    await page.goto(`${url}/`);
    await page.getByLabel("Secret", { exact: true }).fill("hunter2");
    await press(page, "Create link");
    await at("Your link is ready")(page);
    await page.goto(await page.locator("#link").inputValue());
    await at("You made this secret.")(page);
  },
  "receipt, sealed": async (page, { url }) => {
    await page.goto((await share(url)).receipt);
    await at("Sealed")(page);
  },
  "receipt, expired": async (page, waxseal) => {
    const { receipt } = await share(waxseal.url, { ttl: 60 });
    waxseal.advance(61);
    await page.goto(receipt);
    await at("Expired unopened")(page);
  },
  "not found": async (page, { url }) => page.goto(`${url}/nothing-here`),
  "assisted, create": (page, { url }) => page.goto(`${url}/assisted`),
  "assisted, ready": async (page, { url }) => {
    await page.goto(`${url}/assisted`);
    await page.getByLabel("Secret", { exact: true }).fill("hunter2");
    await press(page, "Create link");
    await at("Your link is ready")(page);
  },
  "assisted, open": (page, { url }) => page.goto(`${url}/assisted/open`),
};

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
    waxseal = await startWaxseal({ PASSPHRASE_TRIES: "2" });
    browser = await launchChromium();
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
    const page = await show(scenes.create ?? (async () => undefined), {
      viewport: { width: 640, height: 800 },
    });
    await page.evaluate(() => {
      document.documentElement.style.fontSize = "200%";
      document.documentElement.dir = "rtl";
    });
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wider <= 0, `${wider} px wider than the window`);
  });

  it("breaks the seal without moving where motion is unwelcome", async () => {
    const page = await show(scenes.opened ?? (async () => undefined), {});
    const duration = await page
      .locator(".seal-left")
      .evaluate((half) => getComputedStyle(half).transitionDuration);
    assert.equal(duration, "0s");
  });
});
