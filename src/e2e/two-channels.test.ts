import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Browser, Page } from "playwright-core";
import { launchChromium } from "../testing/chromium.ts";
import { clipboardOf, startWaxseal, type Waxseal } from "./rig.ts";

const PASSPHRASE = "correct horse battery";

describe("handing over a link and its passphrase", () => {
  let waxseal: Waxseal;
  let browser: Browser;
  let page: Page;

  before(async () => {
    waxseal = await startWaxseal();
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    await waxseal?.close();
  });
  beforeEach(async () => {
    for (const context of browser.contexts()) await context.close();
    const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
    page = await context.newPage();
    await page.goto(`${waxseal.url}/`);
  });

  const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
  const ready = () => page.locator("[data-screen=ready]");
  const link = () => page.locator("#link").inputValue();
  const step = (name: string) => page.getByRole("heading", { name, exact: true });

  async function make(passphrase: string): Promise<void> {
    await page.getByLabel("Secret", { exact: true }).fill("hunter2");
    await page.getByLabel(/^Passphrase/).fill(passphrase);
    await press("Create link");
    await page.getByRole("heading", { name: "Your link is ready" }).waitFor();
  }

  /** Whether the passphrase stands anywhere in the page, in an attribute or a field of a form. */
  const isInPage = () =>
    page.evaluate((passphrase) => {
      const fields = [...document.querySelectorAll<HTMLInputElement>("input, textarea")];
      return [document.documentElement.outerHTML, ...fields.map(({ value }) => value)].some((text) =>
        text.includes(passphrase),
      );
    }, PASSPHRASE);

  it("takes two steps, each with its own button, and marks each as done", async () => {
    await make(PASSPHRASE);
    await step("1. Send the link").waitFor();
    await step("2. Tell them the passphrase another way").waitFor();
    await press("Copy link");
    await ready().getByText("✓ Link copied").waitFor();
    assert.ok(await ready().getByText("✓ Passphrase copied").isHidden());
    assert.equal(await clipboardOf(page, waxseal.url), await link());
    await press("Copy passphrase");
    await ready().getByText("✓ Passphrase copied").waitFor();
    assert.equal(await clipboardOf(page, waxseal.url), PASSPHRASE);
    assert.ok(await ready().getByText("✓ Link copied").isVisible());
  });

  it("never puts both into one copy, note or mail", async () => {
    await make(PASSPHRASE);
    await press("Copy with a note");
    await ready().getByText("✓ Link copied").waitFor();
    const note = await clipboardOf(page, waxseal.url);
    assert.ok(note.includes(await link()));
    assert.ok(!note.includes(PASSPHRASE));
    const mail = (await page.getByRole("link", { name: "E-mail" }).getAttribute("href")) ?? "";
    assert.ok(!decodeURIComponent(mail).includes(PASSPHRASE));
  });

  it("shows the passphrase when asked to, and hides it again", async () => {
    await make(PASSPHRASE);
    assert.equal(await isInPage(), false);
    await press("Show");
    await page.getByText(PASSPHRASE, { exact: true }).waitFor();
    await press("Hide");
    assert.equal(await isInPage(), false);
  });

  it("shows and selects the passphrase where the clipboard can't be used", async () => {
    await page.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
    await make(PASSPHRASE);
    await press("Copy passphrase");
    await page.getByRole("button", { name: "Press Ctrl+C" }).waitFor();
    assert.equal(await page.evaluate(() => getSelection()?.toString()), PASSPHRASE);
    assert.ok(await ready().getByText("✓ Passphrase copied").isHidden());
  });

  it("has no steps without a passphrase", async () => {
    await make("");
    assert.ok(await step("1. Send the link").isHidden());
    assert.ok(await page.getByRole("button", { name: "Copy passphrase" }).isHidden());
  });

  it("forgets the passphrase when the page is left, and when the secret is deleted", async () => {
    for (const leave of ["pagehide", "delete"]) {
      await page.goto(`${waxseal.url}/`);
      await make(PASSPHRASE);
      await press("Show");
      assert.equal(await isInPage(), true);
      if (leave === "pagehide") await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pagehide")));
      else {
        await press("Delete now");
        await page.getByRole("heading", { name: "Deleted" }).waitFor();
      }
      assert.equal(await isInPage(), false);
      assert.ok(await page.getByRole("button", { name: "Copy passphrase" }).isHidden());
    }
  });

  it("takes the link along when the page is left", async () => {
    await make(PASSPHRASE);
    const fragment = (await link()).split("#")[1] ?? assert.fail("a link has a fragment");
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true })));
    assert.equal(await link(), "");
    assert.ok(!(await page.evaluate(() => document.documentElement.outerHTML)).includes(fragment));
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
    await page.getByRole("heading", { name: "Share a secret" }).waitFor();
    await make("");
    assert.notEqual(await link(), "");
  });

  it("takes along what was entered, too", async () => {
    await page.getByLabel("Secret", { exact: true }).fill("hunter2");
    await page.getByLabel(/^Passphrase/).fill(PASSPHRASE);
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true })));
    assert.equal(await page.getByLabel("Secret", { exact: true }).inputValue(), "");
    assert.equal(await isInPage(), false);
  });

  it("begins another secret without the last one's passphrase", async () => {
    await make(PASSPHRASE);
    await press("Show");
    await page.getByRole("link", { name: "Share another secret" }).click();
    await page.getByRole("heading", { name: "Share a secret" }).waitFor();
    await page.locator("html[data-ready]").waitFor();
    await make("");
    assert.equal(await isInPage(), false);
    assert.ok(await step("1. Send the link").isHidden());
  });
});
