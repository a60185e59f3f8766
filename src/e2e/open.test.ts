import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Browser, Page, Request } from "playwright-core";
import { launchChromium } from "../testing/chromium.ts";
import { clipboardOf, copyBy, deleteByReceipt, share, startWaxseal, stateOf, type Waxseal } from "./rig.ts";

describe("the page behind a link", () => {
  let waxseal: Waxseal;
  let browser: Browser;
  let page: Page;
  let requests: Request[] = [];

  before(async () => {
    // A window that is still open when a busy machine comes to a test's end.
    waxseal = await startWaxseal({ PASSPHRASE_TRIES: "2", REDELIVERY_WINDOW: "10m" });
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
    requests = [];
    page.on("request", (request) => requests.push(request));
  });

  const heading = (name: string) => page.getByRole("heading", { name, exact: true });
  const openSecret = () => page.getByRole("button", { name: "Open secret" });
  const text = () => page.locator("#parts .secret").textContent();
  const api = () => requests.filter((request) => request.url().includes("/api/"));

  async function open(link: string): Promise<void> {
    await page.goto(link);
    await openSecret().click();
    await heading("Here's your secret").waitFor();
  }

  it("waits for a press of the button, then shows the secret and strips the fragment", async () => {
    const shared = await share(waxseal.url, { text: "hunter2 – ✓\nsecond line\n" });
    await page.goto(shared.link);
    await heading("Someone sent you a secret").waitFor();
    await page.getByText("It opens once, then it's deleted. Have somewhere to save it.").waitFor();
    assert.equal(await stateOf(waxseal.url, shared), "sealed");
    await openSecret().click();
    await heading("Here's your secret").waitFor();
    await page.getByText("Deleted from the server. Save it before you close this page.").waitFor();
    assert.equal(await text(), "hunter2 – ✓\nsecond line\n");
    assert.equal(page.url(), `${waxseal.url}/s`);
    assert.equal(await page.locator("#seal").getAttribute("data-seal"), "opened");
    assert.equal(await stateOf(waxseal.url, shared), "opened");
  });

  it("shows who comes later when it was opened", async () => {
    const { link } = await share(waxseal.url);
    await open(link);
    const later = await (await browser.newContext()).newPage();
    await later.goto(link);
    await later.getByRole("heading", { name: "Already opened" }).waitFor();
    await later.getByText(/It was opened on .*\d{4}/).waitFor();
    await later.getByText("If that wasn't you, tell the sender now: they should change it.").waitFor();
  });

  it("says already opened after a reload, and holds the text no more", async () => {
    await open((await share(waxseal.url)).link);
    await page.reload();
    await heading("Already opened").waitFor();
    assert.equal(await page.locator("#parts").textContent(), "");
  });

  it("says already opened when its reader comes back to it, and holds no text", async () => {
    await open((await share(waxseal.url)).link);
    await page.goto(`${waxseal.url}/`);
    await page.goBack();
    await heading("Already opened").waitFor();
    assert.equal(await page.locator("#parts").textContent(), "");
  });

  it("wipes the text when it goes into the back/forward cache, and says already opened on its way back", async () => {
    await open((await share(waxseal.url)).link);
    // Playwright switches that cache off; its two events are all that a page sees of it.
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true })));
    assert.equal(await page.locator("#parts").textContent(), "");
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
    await heading("Already opened").waitFor();
  });

  it("opens nothing for a script that clicks, only for a person", async () => {
    const shared = await share(waxseal.url);
    await page.goto(shared.link);
    await openSecret().waitFor();
    await page.evaluate(() => {
      document.getElementById("open-button")?.click();
      document.querySelector<HTMLFormElement>("#open")?.requestSubmit();
    });
    await page.waitForTimeout(300);
    assert.ok(!requests.some((request) => request.method() === "POST"));
    assert.equal(await stateOf(waxseal.url, shared), "sealed");
  });

  it("asks for the passphrase, and counts wrong ones without using the secret up", async () => {
    const shared = await share(waxseal.url, { passphrase: "correct horse" });
    await page.goto(shared.link);
    await heading("Enter the passphrase").waitFor();
    await page.getByText("The sender has it.").waitFor();
    await openSecret().click();
    await page.getByRole("link", { name: "Enter the passphrase" }).waitFor();
    await page.getByLabel("Passphrase").fill("wrong");
    await openSecret().click();
    await page.getByText("That passphrase is wrong. The secret is still sealed. 1 try left.").waitFor();
    assert.equal(await stateOf(waxseal.url, shared), "sealed");
    await page.getByLabel("Passphrase").fill("correct horse");
    await page.keyboard.press("Enter");
    await heading("Here's your secret").waitFor();
    assert.equal(await text(), "hunter2");
  });

  it("leads from the error to the field, and leaves the link in the address", async () => {
    const shared = await share(waxseal.url, { passphrase: "correct horse" });
    await page.goto(shared.link);
    await openSecret().click();
    await page.getByRole("link", { name: "Enter the passphrase" }).click();
    assert.equal(await page.evaluate(() => document.activeElement?.id), "passphrase");
    assert.equal(page.url(), shared.link);
    await page.getByLabel("Passphrase").fill("correct horse");
    await openSecret().click();
    await heading("Here's your secret").waitFor();
  });

  it("says locked after too many wrong passphrases, and opens again once the sender unlocked it", async () => {
    const shared = await share(waxseal.url, { passphrase: "correct horse" });
    await page.goto(shared.link);
    await page.getByLabel("Passphrase").fill("one");
    await openSecret().click();
    await page.getByText("1 try left.").waitFor();
    await page.getByLabel("Passphrase").fill("two");
    await openSecret().click();
    await heading("Locked").waitFor();
    await page.getByText("Too many wrong passphrases.").waitFor();
    await page.reload();
    await heading("Locked").waitFor();

    const sender = await (await browser.newContext()).newPage();
    await sender.goto(shared.receipt);
    await sender.getByRole("button", { name: "Unlock" }).click();
    await sender.getByRole("heading", { name: "Sealed" }).waitFor();
    await page.reload();
    await page.getByLabel("Passphrase").fill("correct horse");
    await openSecret().click();
    await heading("Here's your secret").waitFor();
  });

  it("says that a link expired, and when", async () => {
    const { link } = await share(waxseal.url, { ttl: 60 });
    waxseal.advance(61);
    await page.goto(link);
    await page.getByText(/This link expired on .*\d{4}.*\. Nobody opened it\./).waitFor();
  });

  it("says that the sender deleted the secret", async () => {
    const shared = await share(waxseal.url);
    await deleteByReceipt(waxseal.url, shared);
    await page.goto(shared.link);
    await page.getByText("The sender deleted this secret.").waitFor();
  });

  it("says that it can't find a secret nobody made", async () => {
    const other = await startWaxseal();
    const { link } = await share(other.url);
    await other.close();
    await page.goto(link.replace(other.url, waxseal.url));
    await heading("We can't find this secret").waitFor();
    await page.getByText("Check that you copied the whole link.").waitFor();
  });

  for (const [what, damage] of [
    ["cut short", (link: string) => link.slice(0, -3)],
    ["mistyped", (link: string) => link.slice(0, -5) + (link.at(-5) === "A" ? "B" : "A") + link.slice(-4)],
    ["without its fragment", (link: string) => link.replace(/#.*/, "")],
  ] as const) {
    it(`says that part of a link ${what} is missing, and asks the server nothing`, async () => {
      const shared = await share(waxseal.url);
      await page.goto(damage(shared.link));
      await heading("Part of this link is missing").waitFor();
      await page.getByText("Nothing was opened. Copy the whole link, with everything after #.").waitFor();
      assert.equal(api().length, 0);
      assert.equal(await stateOf(waxseal.url, shared), "sealed");
    });
  }

  it("asks before it opens a secret that was made in this browser", async () => {
    await page.goto(`${waxseal.url}/`);
    await page.getByLabel("Secret", { exact: true }).fill("my own");
    await page.getByRole("button", { name: "Create link" }).click();
    await heading("Your link is ready").waitFor();
    const link = await page.locator("#link").inputValue();
    await page.goto(link);
    await heading("You made this secret.").waitFor();
    await page.getByText("Opening it deletes it.").waitFor();
    await page.getByRole("button", { name: "Open anyway" }).click();
    await openSecret().click();
    assert.equal(await text(), "my own");
  });

  it("holds the secret for this tab when the answer is lost, and for no other", async () => {
    const { link } = await share(waxseal.url);
    let lost = 0;
    await page.route("**/api/v1/secret/open", async (route) => {
      if (lost++ > 0) return route.continue();
      await route.fetch();
      await route.abort();
    });
    await page.goto(link);
    await openSecret().click();
    await page.getByText(/It is held for this tab for \d+ seconds\./).waitFor();
    const other = await (await browser.newContext()).newPage();
    await other.goto(link);
    await other.getByRole("heading", { name: "Already opened" }).waitFor();
    await page.getByRole("button", { name: "Try again" }).click();
    await heading("Here's your secret").waitFor();
    assert.equal(await text(), "hunter2");
  });

  it("still holds it for this tab after a reload", async () => {
    const { link } = await share(waxseal.url);
    await page.route("**/api/v1/secret/open", async (route) => {
      await route.fetch();
      await route.abort();
    });
    await page.goto(link);
    await openSecret().click();
    await heading("The connection was lost").waitFor();
    await page.unroute("**/api/v1/secret/open");
    await page.reload();
    await page.getByText(/It is held for this tab/).waitFor();
    await page.getByRole("button", { name: "Try again" }).click();
    await heading("Here's your secret").waitFor();
  });

  /** As if the answer got lost on its way. */
  async function loseAnswer(link: string, passphrase?: string): Promise<void> {
    await page.route("**/api/v1/secret/open", async (route) => {
      await route.fetch();
      await route.abort();
    });
    await page.goto(link);
    if (passphrase !== undefined) await page.getByLabel("Passphrase").fill(passphrase);
    await openSecret().click();
    await heading("The connection was lost").waitFor();
    await page.unroute("**/api/v1/secret/open");
  }

  it("holds it through a reload though this computer's clock is wrong", async () => {
    const { link } = await share(waxseal.url);
    await page.addInitScript(() => {
      const right = Date.now;
      Date.now = () => right() + 3_600_000;
    });
    await loseAnswer(link);
    await page.reload();
    await page.getByText(/It is held for this tab/).waitFor();
    await page.getByRole("button", { name: "Try again" }).click();
    await heading("Here's your secret").waitFor();
  });

  it("still holds it where the passphrase is mistyped after a reload", async () => {
    const { link } = await share(waxseal.url, { passphrase: "correct horse" });
    await loseAnswer(link, "correct horse");
    await page.reload();
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByLabel("Passphrase").fill("correct hrose");
    await openSecret().click();
    await page.getByText("Enter the passphrase again. If it was right, somebody else opened it.").waitFor();
    await page.getByLabel("Passphrase").fill("correct horse");
    await openSecret().click();
    await heading("Here's your secret").waitFor();
  });

  it("says already opened, not held, where this tab only tried a wrong passphrase", async () => {
    const { link } = await share(waxseal.url, { passphrase: "correct horse" });
    await page.goto(link);
    await page.getByLabel("Passphrase").fill("wrong");
    await openSecret().click();
    await page.getByText("1 try left.").waitFor();
    const other = await (await browser.newContext()).newPage();
    await other.goto(link);
    await other.getByLabel("Passphrase").fill("correct horse");
    await other.getByRole("button", { name: "Open secret" }).click();
    await other.getByRole("heading", { name: "Here's your secret" }).waitFor();
    await page.reload();
    await heading("Already opened").waitFor();
  });

  it("gives an answer up early enough to ask for it again within the window", async (t) => {
    const usual = await startWaxseal();
    t.after(() => usual.close());
    const { link } = await share(usual.url);
    await page.addInitScript(() => {
      const patience: Record<string, number> = {};
      let latest = 0;
      const { timeout } = AbortSignal;
      AbortSignal.timeout = (milliseconds) => {
        latest = milliseconds;
        return timeout.call(AbortSignal, milliseconds);
      };
      const { fetch } = window;
      window.fetch = (input, options) => {
        patience[new URL(String(input)).pathname] = latest;
        return fetch(input, options);
      };
      Object.assign(window, { patience });
    });
    await open(link);
    const patience = await page.evaluate(() => (window as unknown as { patience: object }).patience);
    const window30s = Number(await page.locator("html").getAttribute("data-window")) * 1_000;
    const { "/api/v1/secret/open": opening = 0 } = patience as Record<string, number>;
    assert.ok(opening > 0 && opening <= window30s / 2, `${opening} of ${window30s} ms`);
  });

  it("clears what it shows when another link comes into the same tab", async () => {
    await open((await share(waxseal.url, { text: "the first" })).link);
    const second = await share(waxseal.url, { text: "the second" });
    await page.evaluate((fragment) => {
      location.hash = fragment;
    }, second.linkFragment);
    await openSecret().waitFor();
    assert.equal(await page.locator("#parts").textContent(), "");
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true })));
    // What stood there before is hidden, so that only what the page shows anew can be pressed.
    await page.evaluate(() => {
      for (const screen of document.querySelectorAll<HTMLElement>("[data-screen]")) screen.hidden = true;
      dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
    });
    await openSecret().click();
    await heading("Here's your secret").waitFor();
    assert.equal(await text(), "the second");
  });

  it("uses nothing up when the connection is lost before the hand-over", async () => {
    const shared = await share(waxseal.url);
    await page.goto(shared.link);
    await openSecret().waitFor();
    await page.context().setOffline(true);
    await openSecret().click();
    await page.getByText("The server can't be reached. The secret is still sealed. Try again.").waitFor();
    assert.equal(await stateOf(waxseal.url, shared), "sealed");
    await page.context().setOffline(false);
    await openSecret().click();
    await heading("Here's your secret").waitFor();
  });

  it("uses nothing up when the download is cut short", async () => {
    const shared = await share(waxseal.url);
    await page.goto(shared.link);
    let cut = true;
    await page.route("**/api/v1/secret/blob", async (route) => {
      if (!cut) return route.continue();
      cut = false;
      const response = await route.fetch();
      await route.fulfill({ response, body: (await response.body()).subarray(0, 900) });
    });
    await openSecret().click();
    await page.getByText("The server can't be reached. The secret is still sealed. Try again.").waitFor();
    assert.equal(await stateOf(waxseal.url, shared), "sealed");
    await openSecret().click();
    await heading("Here's your secret").waitFor();
  });

  it("can be tried again where the server wasn't there at first", async () => {
    const { link } = await share(waxseal.url);
    await page.route("**/api/v1/secret", (route) => route.abort());
    await page.goto(link);
    await heading("Nothing was opened").waitFor();
    await page.unroute("**/api/v1/secret");
    await page.getByRole("button", { name: "Try again" }).click();
    await heading("Someone sent you a secret").waitFor();
  });

  it("has one winner where two tabs press at once", async () => {
    const { link } = await share(waxseal.url);
    const tabs = [page, await (await browser.newContext()).newPage()];
    for (const tab of tabs) await tab.goto(link);
    await Promise.all(tabs.map((tab) => tab.getByRole("button", { name: "Open secret" }).click()));
    const ends = await Promise.all(
      tabs.map(async (tab) => {
        const end = tab.getByRole("heading", { name: /^(Here's your secret|Already opened)$/ });
        await end.waitFor();
        return end.textContent();
      }),
    );
    assert.deepEqual(ends.sort(), ["Already opened", "Here's your secret"]);
  });

  it("copies, saves and hides what it shows", async () => {
    await open((await share(waxseal.url, { text: "hunter2\nand more" })).link);
    await copyBy(
      page,
      page.getByRole("button", { name: "Copy" }),
      page.getByRole("button", { name: "Copied" }),
    );
    assert.equal(await clipboardOf(page, waxseal.url), "hunter2\nand more");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save as file" }).click(),
    ]);
    assert.equal(download.suggestedFilename(), "secret.txt");
    assert.equal(await readFile(await download.path(), "utf8"), "hunter2\nand more");
    await page.getByRole("button", { name: "Hide" }).click();
    assert.ok(!(await page.locator("main").textContent())?.includes("hunter2"));
    await page.getByRole("button", { name: "Show" }).click();
    assert.equal(await text(), "hunter2\nand more");
  });

  it("selects the secret itself where a hidden one can't be copied", async () => {
    await open((await share(waxseal.url)).link);
    await page.evaluate(() => {
      navigator.clipboard.writeText = () => Promise.reject(new Error("refused"));
    });
    await page.getByRole("button", { name: "Hide" }).click();
    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByRole("button", { name: "Press Ctrl+C" }).waitFor();
    assert.equal((await page.evaluate(() => getSelection()?.toString()))?.trim(), "hunter2");
  });

  it("leaves the secret out of print, and prints the waiting link as a QR code", async () => {
    const { link } = await share(waxseal.url);
    await page.goto(link);
    await page.locator("#print-qr svg").waitFor({ state: "attached" });
    await page.emulateMedia({ media: "print" });
    assert.ok(await page.getByRole("img", { name: "QR code of this link" }).isVisible());
    await page.emulateMedia({ media: "screen" });
    await openSecret().click();
    await heading("Here's your secret").waitFor();
    await page.emulateMedia({ media: "print" });
    assert.ok(await page.locator("#parts").isHidden());
  });
});
