import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Browser, Page } from "playwright-core";
import { launchChromium } from "../testing/chromium.ts";
import { deleteByReceipt, type SharedSecret, share, startWaxseal, type Waxseal } from "./rig.ts";

const TEXT = "a text that took an hour to write";

describe("while the store is full", () => {
  let waxseal: Waxseal;
  let browser: Browser;
  let page: Page;
  const kept: SharedSecret[] = [];

  before(async () => {
    waxseal = await startWaxseal({ STORE_BUDGET: "1MiB", MAX_SECRET_BYTES: "100KiB" });
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    await waxseal?.close();
  });
  beforeEach(async () => {
    for (const size of [60_000, 100]) await fill("x".repeat(size));
    for (const context of browser.contexts()) await context.close();
  });

  async function fill(text: string): Promise<void> {
    for (let room = true; room; ) {
      await share(waxseal.url, { text }).then(
        (secret) => kept.push(secret),
        (error: unknown) => {
          assert.match(String(error), /create: 507 .*"code":"full"/);
          room = false;
        },
      );
    }
  }
  const open = async (javaScriptEnabled: boolean) => {
    page = await (await browser.newContext({ javaScriptEnabled })).newPage();
  };
  const secret = () => page.getByLabel("Secret", { exact: true });
  const heading = (name: string) => page.getByRole("heading", { name, exact: true });
  const says = () => page.getByText(/The store is full\. Nothing was saved; try again when/).first();
  const press = (name: string) => page.getByRole("button", { name }).click();

  async function makeRoom(): Promise<void> {
    const large = kept.shift();
    assert(large);
    await deleteByReceipt(waxseal.url, large);
  }

  it("the page says so, keeps the text, and saves it when there is room again", async () => {
    await open(true);
    await page.goto(`${waxseal.url}/`);
    await secret().fill(TEXT);
    await press("Create link");
    await says().waitFor();
    assert.equal(await secret().inputValue(), TEXT);
    await makeRoom();
    await press("Try again");
    await heading("Your link is ready").waitFor();
  });

  it("a secret that is there still opens", async () => {
    const last = kept.pop();
    assert(last);
    await open(true);
    await page.goto(last.link);
    await press("Open secret");
    await page.getByText("x".repeat(100)).first().waitFor();
  });

  it("the form without script says so with 507, keeps the text, and saves it when there is room again", async () => {
    await open(false);
    await page.goto(`${waxseal.url}/assisted`);
    await secret().fill(TEXT);
    const answered = page.waitForResponse((response) => response.request().method() === "POST");
    await press("Create link");
    assert.equal((await answered).status(), 507);
    await says().waitFor();
    assert.equal(await secret().inputValue(), TEXT);
    await makeRoom();
    await press("Create link");
    await heading("Your link is ready").waitFor();
  });
});
