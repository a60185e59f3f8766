import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Browser, Page } from "playwright-core";
import { launchChromium } from "../testing/chromium.ts";
import { deleteByReceipt, share, shareUnsent, startWaxseal, type Waxseal } from "./rig.ts";

const VISITED = "Page visited by somebody with the link";

describe("the receipt page", () => {
  let waxseal: Waxseal;
  let browser: Browser;
  let page: Page;

  before(async () => {
    waxseal = await startWaxseal({ PASSPHRASE_TRIES: "1" });
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    await waxseal?.close();
  });
  beforeEach(async () => {
    for (const context of browser.contexts()) await context.close();
    page = await (await browser.newContext()).newPage();
  });

  const heading = (name: string) => page.getByRole("heading", { name, exact: true });
  const timeline = () => page.locator("#timeline strong").allTextContents();

  async function openInAnotherBrowser(link: string): Promise<void> {
    const other = await (await browser.newContext()).newPage();
    await other.goto(link);
    await other.getByRole("button", { name: "Open secret" }).click();
    await other.getByRole("heading", { name: "Here's your secret" }).waitFor();
  }

  it("says sealed, and turns to opened by itself while it is looked at", async () => {
    const { link, receipt } = await share(waxseal.url);
    await page.goto(receipt);
    await heading("Sealed").waitFor();
    assert.deepEqual(await timeline(), ["Sealed"]);
    await openInAnotherBrowser(link);
    await page.bringToFront();
    await heading("Opened").waitFor();
    await page.locator("#timeline").getByText("Received by the browser that opened it").waitFor();
    assert.deepEqual((await timeline()).slice(0, 3), ["Sealed", VISITED, "Opened"]);
    assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H1");
    assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H1");
    assert.ok(await page.getByRole("button", { name: "Delete now" }).isHidden());
    assert.ok(await page.getByText("Keep this page's address to yourself").isHidden());
  });

  it("says expired unopened", async () => {
    const { receipt } = await share(waxseal.url, { ttl: 60 });
    waxseal.advance(61);
    await page.goto(receipt);
    await heading("Expired unopened").waitFor();
    assert.deepEqual(await timeline(), ["Sealed", "Expired unopened"]);
  });

  it("says of one whose files are still to come that nobody can open it yet, and deletes it", async () => {
    const { receipt } = await shareUnsent(waxseal.url);
    await page.goto(receipt);
    await heading("Being sent").waitFor();
    assert.match(await page.locator(".lede:visible").innerText(), /Nobody can open it yet.* given up/);
    assert.deepEqual(await timeline(), []);
    await page.getByRole("button", { name: "Delete now" }).click();
    await heading("Deleted").waitFor();
  });

  it("says of one that never came whole that sending it was given up", async () => {
    const { receipt } = await shareUnsent(waxseal.url);
    waxseal.advance(1801);
    await page.goto(receipt);
    await heading("Never sent whole").waitFor();
  });

  it("says deleted", async () => {
    const shared = await share(waxseal.url);
    await deleteByReceipt(waxseal.url, shared);
    await page.goto(shared.receipt);
    await heading("Deleted").waitFor();
  });

  it("deletes when told to", async () => {
    const { link, receipt } = await share(waxseal.url);
    await page.goto(receipt);
    await page.getByRole("button", { name: "Delete now" }).click();
    await heading("Deleted").waitFor();
    await page.goto(link);
    await page.getByText("The sender deleted this secret.").waitFor();
  });

  it("shows wrong passphrases and the lock, and unlocks", async () => {
    const { link, receipt } = await share(waxseal.url, { passphrase: "correct horse" });
    const other = await (await browser.newContext()).newPage();
    await other.goto(link);
    await other.getByLabel("Passphrase").fill("wrong");
    await other.getByRole("button", { name: "Open secret" }).click();
    await other.getByRole("heading", { name: "Locked" }).waitFor();
    await page.goto(receipt);
    await heading("Locked").waitFor();
    assert.deepEqual(await timeline(), ["Sealed", VISITED, "Wrong passphrase", "Locked"]);
    await page.getByRole("button", { name: "Unlock" }).click();
    await heading("Sealed").waitFor();
    assert.ok(await page.getByRole("button", { name: "Unlock" }).isHidden());
    await page.getByText(/ 1 passphrase try left\.$/).waitFor();
  });

  it("takes the stream's word for an unlock whose answer was lost", async () => {
    const { link, receipt } = await share(waxseal.url, { passphrase: "correct horse" });
    const other = await (await browser.newContext()).newPage();
    await other.goto(link);
    await other.getByLabel("Passphrase").fill("wrong");
    await other.getByRole("button", { name: "Open secret" }).click();
    await other.getByRole("heading", { name: "Locked" }).waitFor();
    await page.route("**/api/v1/receipt/unlock", async (route) => {
      await route.fetch();
      await heading("Sealed").waitFor();
      await route.abort();
    });
    await page.goto(receipt);
    await page.getByRole("button", { name: "Unlock" }).click();
    await heading("Sealed").waitFor();
    await page.locator("#unlock:not([aria-busy])").waitFor({ state: "attached" });
    assert.ok(await page.locator("#problem").isHidden());
    assert.equal(await page.title(), "Sealed · Waxseal");
  });

  it("keeps the receipt's token out of every address that is asked for", async () => {
    const { receipt } = await share(waxseal.url);
    const token = receipt.split("#")[1] ?? "";
    const urls: string[] = [];
    page.on("request", (request) => urls.push(request.url()));
    await page.goto(receipt);
    await heading("Sealed").waitFor();
    assert.ok(urls.every((url) => !url.split("#")[0]?.includes(token.slice(0, 20))));
  });

  it("says that part of the address is missing where it was cut", async () => {
    const { receipt } = await share(waxseal.url);
    await page.goto(receipt.slice(0, -2));
    await heading("Part of this address is missing").waitFor();
  });

  it("says that it can't find what it doesn't know", async () => {
    const { receipt } = await share(waxseal.url);
    const last = receipt.at(-1) === "A" ? "Q" : "A";
    await page.goto(receipt.slice(0, -1) + last);
    await heading("We can't find this secret").waitFor();
  });

  it("is followed too where the server answers only once somebody comes back to the tab", async () => {
    const { link, receipt } = await share(waxseal.url);
    await page.route("**/api/v1/receipt", (route) => route.abort());
    await page.goto(receipt);
    await heading("We can't tell right now").waitFor();
    await page.unroute("**/api/v1/receipt");
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await heading("Sealed").waitFor();
    await openInAnotherBrowser(link);
    await heading("Opened").waitFor();
  });

  it("can be tried again where the server doesn't answer", async () => {
    const { receipt } = await share(waxseal.url);
    await page.route("**/api/v1/receipt", (route) => route.abort());
    await page.goto(receipt);
    await heading("We can't tell right now").waitFor();
    await page.unroute("**/api/v1/receipt");
    await page.getByRole("button", { name: "Try again" }).click();
    await heading("Sealed").waitFor();
  });
});
