import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Browser, Page } from "playwright-core";
import { launchChromium } from "../testing/chromium.ts";
import { until } from "../testing/until.ts";
import { startWaxseal, type Waxseal } from "./rig.ts";

const list = readFileSync(new URL("../browser/eff-large-words.txt", import.meta.url), "utf8");
const words = new Set(list.trim().split("\n"));

describe("what the create page makes up", () => {
  let waxseal: Waxseal;
  let browser: Browser;
  let page: Page;
  const requests: string[] = [];

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
    page = await (await browser.newContext()).newPage();
    requests.length = 0;
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(`${waxseal.url}/`);
  });

  const secret = () => page.getByLabel("Secret", { exact: true });
  const passphrase = () => page.getByLabel(/^Passphrase/);
  const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
  const suggested = async (): Promise<string[]> => (await passphrase().inputValue()).split(" ");

  async function suggest(): Promise<string[]> {
    const before = await passphrase().inputValue();
    await press("Suggest one");
    await until(async () => (await passphrase().inputValue()) !== before);
    await page.getByText(/^About 64 bits/).waitFor();
    return suggested();
  }

  async function generate(): Promise<string> {
    await press("Generate a password");
    await page.getByText("About 130 bits: 20 random characters out of 94.").waitFor();
    return secret().inputValue();
  }

  describe("as a passphrase", () => {
    it("is five words of EFF's list, and says what they are worth", async () => {
      const chosen = await suggest();
      assert.equal(chosen.length, 5);
      for (const word of chosen) assert.ok(words.has(word), word);
      await page.getByText("About 64 bits: 5 random words out of 7,776 (EFF's large list).").waitFor();
      assert.notDeepEqual(await suggest(), chosen);
    });

    it("loads the list when it is first asked for, from this origin", async () => {
      await page.waitForLoadState("networkidle");
      const before = requests.length;
      await suggest();
      const loaded = requests.slice(before);
      assert.ok(loaded.some((url) => url.includes("/assets/suggest-passphrase-")));
      assert.ok(loaded.every((url) => url.startsWith(`${waxseal.url}/assets/`)));
    });

    it("is four to eight words, as chosen", async () => {
      await suggest();
      const bits = { 4: 51, 6: 77, 7: 90, 8: 103 };
      for (const [count, worth] of Object.entries(bits)) {
        await page.getByLabel("Words").selectOption(count);
        await page.getByText(`About ${worth} bits: ${count} random words`).waitFor();
        assert.equal((await suggested()).length, Number(count));
      }
      const choices = await page.getByLabel("Words").locator("option").allTextContents();
      assert.deepEqual(choices, ["4", "5", "6", "7", "8"]);
    });

    it("doesn't take the place of one that was typed before the person has said so", async () => {
      await passphrase().fill("my own");
      await press("Suggest one");
      await page.locator("#suggest-ask").waitFor();
      assert.equal(await page.evaluate(() => document.activeElement?.id), "suggest-keep");
      await press("Keep it");
      assert.equal(await passphrase().inputValue(), "my own");
      assert.ok(await page.locator("#suggest-ask").isHidden());
      await press("Suggest one");
      await press("Replace it");
      await page.getByText(/^About 64 bits/).waitFor();
      assert.equal((await suggested()).length, 5);
    });

    it("is worth what was said only as long as nobody changes it, and a typed one is never measured", async () => {
      await suggest();
      await passphrase().press("End");
      await passphrase().press("Backspace");
      assert.ok(await page.getByText(/About \d+ bits/).isHidden());
      await passphrase().fill("correct horse battery staple");
      assert.ok(await page.getByText(/About \d+ bits/).isHidden());
    });

    it("opens the secret in another browser", async () => {
      await secret().fill("hunter2");
      const chosen = (await suggest()).join(" ");
      await press("Create link");
      await page.getByRole("heading", { name: "Your link is ready" }).waitFor();
      const link = await page.locator("#link").inputValue();
      const other = await (await browser.newContext()).newPage();
      await other.goto(link);
      await other.getByLabel("Passphrase").fill(chosen);
      await other.getByRole("button", { name: "Open secret" }).click();
      await other.getByText("hunter2").waitFor();
      assert.equal(await passphrase().inputValue(), "");
      assert.ok(await page.getByText(/About \d+ bits/).isHidden());
    });

    it("is said to be missing where its code can't be loaded, and what was typed stays", async () => {
      await page.route("**/assets/suggest-passphrase-*", (route) => route.abort());
      await press("Suggest one");
      await page.getByText("The code for it couldn't be loaded. Nothing was changed. Try again.").waitFor();
      assert.equal(await passphrase().inputValue(), "");
    });
  });

  describe("as a password", () => {
    it("is 20 characters with letters, digits and symbols, and another at each press", async () => {
      const first = await generate();
      assert.equal(first.length, 20);
      for (const set of [/[a-z]/, /[A-Z]/, /\d/, /[^a-zA-Z\d\s]/]) assert.match(first, set);
      await press("Generate a password");
      await page.waitForFunction((old) => {
        const field = document.getElementById("secret");
        return field instanceof HTMLTextAreaElement && field.value !== old;
      }, first);
    });

    it("has the length and the sets that are chosen", async () => {
      await generate();
      for (const length of [12, 64]) {
        await page.getByLabel(/^Length/).fill(String(length));
        await page.getByText(`${length} random characters out of 94.`).waitFor();
        assert.equal((await secret().inputValue()).length, length);
      }
      await page.getByLabel("Symbols", { exact: true }).uncheck();
      await page.getByText("64 random characters out of 62.").waitFor();
      assert.match(await secret().inputValue(), /^[a-zA-Z\d]{64}$/);
      await page.getByLabel("Letters").uncheck();
      await page.getByText("About 212 bits: 64 random characters out of 10.").waitFor();
      assert.match(await secret().inputValue(), /^\d{64}$/);
      await page.getByLabel(/Easy to type/).check();
      await page.getByText("64 random characters out of 8.").waitFor();
      assert.match(await secret().inputValue(), /^[2-9]{64}$/);
    });

    it("asks for a set where none is left, and keeps what is there", async () => {
      const first = await generate();
      for (const [set, words] of [
        ["Letters", "20 random characters out of 42."],
        ["Digits", "20 random characters out of 32."],
        ["Symbols", "Choose letters, digits or symbols."],
      ] as const) {
        await page.getByLabel(set, { exact: true }).uncheck();
        await page.getByText(words).waitFor();
      }
      assert.notEqual(await secret().inputValue(), "");
      assert.match(await secret().inputValue(), /^[^a-zA-Z\d]{20}$/);
      assert.notEqual(await secret().inputValue(), first);
    });

    it("doesn't take the place of a text before the person has said so, whatever is chosen", async () => {
      await generate();
      await secret().fill("a text of my own");
      await page.getByLabel("Digits").uncheck();
      assert.equal(await secret().inputValue(), "a text of my own");
      await press("Generate a password");
      assert.equal(await secret().inputValue(), "a text of my own");
      await press("Replace it");
      await page.getByText("20 random characters out of 84.").waitFor();
      assert.match(await secret().inputValue(), /^\D{20}$/);
    });

    it("is sealed as it stands there", async () => {
      const password = await generate();
      await press("Create link");
      await page.getByRole("heading", { name: "Your link is ready" }).waitFor();
      const other = await (await browser.newContext()).newPage();
      await other.goto(await page.locator("#link").inputValue());
      await other.getByRole("button", { name: "Open secret" }).click();
      assert.equal(await other.locator("#parts .secret").textContent(), password);
    });
  });
});
