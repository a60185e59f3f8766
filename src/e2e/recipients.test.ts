import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Browser, Page, Request } from "playwright-core";
import { launchChromium } from "../testing/chromium.ts";
import { until } from "../testing/until.ts";
import { addFiles, file, heading, openLink } from "./file-people.ts";
import { clipboardOf, copyBy, openOptions, startWaxseal, type Waxseal } from "./rig.ts";

interface Create {
  readonly id: string;
  readonly linkHash: string;
  readonly accessHash: string;
  readonly share: string;
  readonly receiptHash: string;
  readonly blob: string;
}

const TEN = Array.from({ length: 10 }, (_, i) => `Person ${i + 1}`);

describe("a link for each person", () => {
  let waxseal: Waxseal;
  let limited: Waxseal;
  let browser: Browser;
  let page: Page;
  const requests: Request[] = [];

  before(async () => {
    waxseal = await startWaxseal();
    limited = await startWaxseal({ RATE_LIMIT_CREATE: "2/15s" });
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    await waxseal?.close();
    await limited?.close();
  });
  beforeEach(async () => {
    for (const context of browser.contexts()) await context.close();
    const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
    page = await context.newPage();
    requests.length = 0;
    page.on("request", (request) => requests.push(request));
  });

  const people = () => page.getByLabel("One link for each person");
  const button = (name: string) => page.getByRole("button", { name, exact: true });
  const rows = () => page.locator("#links tbody tr");
  const links = () => page.locator("#links code").allTextContents();
  const labels = () => page.locator("#links tbody th").allTextContents();
  const creates = () => requests.filter((request) => request.url().endsWith("/api/v1/secrets"));

  async function fill(names: readonly string[], url = waxseal.url): Promise<void> {
    await page.goto(`${url}/`);
    await enter(names);
  }

  async function enter(names: readonly string[]): Promise<void> {
    await page.getByLabel("Secret", { exact: true }).fill("hunter2");
    await openOptions(page);
    await people().fill(names.join("\n"));
  }

  async function make(names: readonly string[], url?: string): Promise<void> {
    await fill(names, url);
    await button("Create link").click();
    await heading(page, "Your links are ready").waitFor();
  }

  /** Fails the creates from `first` to `last` (counted from 1), as a lost connection does. */
  async function failCreates(first: number, last: number): Promise<void> {
    let count = 0;
    await page.route("**/api/v1/secrets", (route) => {
      count += 1;
      return count >= first && count <= last ? route.abort() : route.continue();
    });
  }

  it("is made for ten, each with keys, share, receipt and ciphertext of its own", async () => {
    await make(TEN);
    assert.deepEqual(await labels(), TEN);
    const bodies = creates().map((request) => request.postDataJSON() as Create);
    assert.equal(bodies.length, 10);
    for (const name of ["id", "linkHash", "accessHash", "share", "receiptHash", "blob"] as const) {
      assert.equal(new Set(bodies.map((body) => body[name])).size, 10, name);
    }
    // Behind header and key commitment the ciphertexts have no part in common either.
    assert.equal(
      new Set(bodies.map(({ blob }) => Buffer.from(blob, "base64url").toString("hex", 64, 96))).size,
      10,
    );
    assert.equal(new Set(await links()).size, 10);
    assert.equal(await page.title(), "Your links are ready · Waxseal");
    assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H1");
  });

  it("opens with the same text for each, and one's end is not the others'", async () => {
    await make(["Anna", "Bo"]);
    const [first = "", second = ""] = await links();
    const receipts = await page
      .getByRole("link", { name: /^See what became of it/ })
      .evaluateAll((all) => all.map((link) => (link as HTMLAnchorElement).href));
    await page.evaluate(() => localStorage.clear());
    const other = await page.context().newPage();
    await openLink(other, first);
    assert.equal(await other.locator(".secret").textContent(), "hunter2");
    await other.goto(receipts[0] ?? "");
    await heading(other, "Opened").waitFor();
    await other.goto(receipts[1] ?? "");
    await heading(other, "Sealed").waitFor();
    await openLink(other, second);
    assert.equal(await other.locator(".secret").textContent(), "hunter2");
  });

  it("never tells the server anybody's name", async () => {
    await make(["Anna Lindqvist", "Bo Møller"]);
    await button("Copy all").click();
    const sent = requests
      .map((request) => `${request.url()} ${JSON.stringify(request.headers())} ${request.postData() ?? ""}`)
      .join("\n");
    for (const name of ["Lindqvist", "Møller", "Anna ", "hunter2"]) assert.ok(!sent.includes(name), name);
  });

  it("needs the one passphrase that is the same for all", async () => {
    await fill(["Anna", "Bo"]);
    await page.getByLabel(/^Passphrase/).fill("correct horse");
    await button("Create link").click();
    await heading(page, "Your links are ready").waitFor();
    await heading(page, "2. Tell them the passphrase another way").waitFor();
    const all = await links();
    await page.evaluate(() => localStorage.clear());
    for (const link of all) {
      const other = await page.context().newPage();
      await other.goto(link);
      await other.getByLabel("Passphrase").fill("correct horse");
      await other.getByRole("button", { name: "Open secret" }).click();
      await heading(other, "Here's your secret").waitFor();
      await other.close();
    }
  });

  it("carries files too, which are encrypted and sent for each", async () => {
    await fill(["Anna", "Bo"]);
    await addFiles(page, [file("photos.zip", 90_000)]);
    await button("Create link").click();
    await heading(page, "Your links are ready").waitFor();
    const all = await links();
    await page.evaluate(() => localStorage.clear());
    for (const link of all) {
      const other = await page.context().newPage();
      await openLink(other, link);
      await other.getByText("photos.zip").first().waitFor();
      await other.close();
    }
  });

  it("is copied one by one and all together", async () => {
    await make(["Anna", "Bo"]);
    const [first, second] = await links();
    await copyBy(page, button("Copy the link for Bo"), rows().nth(1).getByText("Copied"));
    assert.equal(await clipboardOf(page, waxseal.url), second);
    await copyBy(page, button("Copy all"), button("Copied"));
    assert.equal(await clipboardOf(page, waxseal.url), `Anna: ${first}\nBo: ${second}`);
  });

  it("is saved as CSV that no spreadsheet takes for formulas", async () => {
    await make(["Møller, Bo", '=HYPERLINK("http://evil.test","Anna")', "+49 30 1234"]);
    const [first, second, third] = await links();
    const [download] = await Promise.all([page.waitForEvent("download"), button("Save as CSV").click()]);
    assert.equal(download.suggestedFilename(), "links.csv");
    const csv = await readFile(await download.path(), "utf8");
    assert.equal(
      csv,
      `\uFEFFlabel,link\r\n"Møller, Bo",${first}\r\n` +
        `"'=HYPERLINK(""http://evil.test"",""Anna"")",${second}\r\n'+49 30 1234,${third}\r\n`,
    );
  });

  it("keeps what was made when the server fails in the middle, and makes the rest when told to", async () => {
    await failCreates(4, 4);
    await fill(TEN);
    await button("Create link").click();
    await heading(page, "3 of 10 links are ready").waitFor();
    await page.getByText("7 links are missing, from Person 4 on. These here are kept.").waitFor();
    assert.equal(await page.evaluate(() => document.activeElement?.id), "made-problem");
    assert.match(await page.title(), /^Error: /);
    const before = await links();
    assert.equal(before.length, 3);
    await button("Try again").click();
    await heading(page, "Your links are ready").waitFor();
    assert.deepEqual(await labels(), TEN);
    assert.deepEqual((await links()).slice(0, 3), before);
    // What may have arrived without an answer went out again byte for byte, so nobody has two.
    const bodies = creates().map((request) => request.postData());
    assert.equal(bodies.length, 11);
    assert.equal(bodies[4], bodies[3]);
    assert.equal(new Set(bodies).size, 10);
  });

  it("leads back to the form, with all that was entered, when the first one fails", async () => {
    await failCreates(1, 1);
    await fill(TEN);
    await button("Create link").click();
    await page.getByText("We couldn't save it. Your text is still here.").waitFor();
    assert.equal(await people().inputValue(), TEN.join("\n"));
    await button("Try again").click();
    await heading(page, "Your links are ready").waitFor();
    assert.equal(await rows().count(), 10);
  });

  it("waits and says so where the server limits how many are made", async () => {
    await fill(TEN.slice(0, 3), limited.url);
    await button("Create link").click();
    await page
      .getByText(/Too many tries\. Going on in \d+ seconds?\./)
      .first()
      .waitFor();
    await heading(page, "Your links are ready").waitFor();
    assert.equal(new Set(await links()).size, 3);
  });

  it("can be cancelled, with what was made kept", async () => {
    let letThrough = () => undefined as unknown;
    const third = new Promise((resolve) => {
      letThrough = () => resolve(undefined);
    });
    let count = 0;
    await page.route("**/api/v1/secrets", async (route) => {
      count += 1;
      if (count === 3) await third;
      await route.continue();
    });
    await fill(TEN);
    await button("Create link").click();
    await heading(page, "Making links: 3 of 10").waitFor();
    await until(() => count === 3);
    await button("Cancel").click();
    await heading(page, "2 of 10 links are ready").waitFor();
    await page.getByText("Cancelled. 8 links are missing, from Person 3 on. These here are kept.").waitFor();
    assert.deepEqual(await labels(), TEN.slice(0, 2));
    // What was on its way arrives now: nobody has its link, so it is deleted.
    const [deleted] = await Promise.all([
      page.waitForResponse((response) => response.url().endsWith("/api/v1/receipt/secret")),
      letThrough(),
    ]);
    assert.equal(deleted.status(), 200);
  });

  it("is deleted with all the others when told to, and says which was opened before", async () => {
    await make(["Anna", "Bo", "Cem"]);
    const [, second = ""] = await links();
    const other = await page.context().newPage();
    await other.goto(second);
    await other.getByRole("button", { name: "Open anyway" }).click();
    await other.getByRole("button", { name: "Open secret" }).click();
    await heading(other, "Here's your secret").waitFor();
    await button("Delete all now").click();
    await heading(page, "None of the links opens any more").waitFor();
    const ends = await page.locator("#links tbody td").allTextContents();
    assert.match(ends[0] ?? "", /^Deleted/);
    assert.match(ends[1] ?? "", /^Opened .*\d/);
    assert.match(ends[2] ?? "", /^Deleted/);
    assert.deepEqual(await links(), []);
    assert.equal(await button("Copy all").isVisible(), false);
  });

  it("says of how many it can't tell where deleting fails, and deletes those when told again", async () => {
    await make(["Anna", "Bo", "Cem"]);
    let failing = true;
    await page.route("**/api/v1/receipt/secret", (route) => {
      const fail = failing;
      failing = false;
      return fail ? route.abort() : route.continue();
    });
    await button("Delete all now").click();
    await page.getByText("We can't tell whether 1 of them was deleted. Try again.").waitFor();
    assert.equal((await links()).length, 1);
    await button("Delete all now").click();
    await heading(page, "None of the links opens any more").waitFor();
  });

  it("is remembered with its name in this browser, once that was asked for", async () => {
    // Names that no key or id can happen to spell.
    const kept = () => page.evaluate(() => JSON.stringify({ ...localStorage }));
    const note = page.locator("#remember-all-note");
    await make(["Anna Lindqvist", "Bo Møller"]);
    assert.doesNotMatch(await kept(), /Lindqvist|Møller/);
    await page.getByLabel("Remember these links in this browser").check();
    await note.getByText("Remembered.").waitFor();
    assert.match(await kept(), /Anna Lindqvist.*Bo Møller|Bo Møller.*Anna Lindqvist/);
    await page.getByLabel("Remember these links in this browser").uncheck();
    await note.getByText("Forgotten. New links aren't remembered.").waitFor();
    assert.doesNotMatch(await kept(), /Lindqvist|Møller/);
  });

  /** In another tab; resolves when this one has heard of each. */
  async function forgetElsewhere(names: readonly string[]): Promise<void> {
    await page.evaluate(() => {
      addEventListener("storage", ({ key, newValue }) => {
        if (key === "over" && newValue !== null) document.body.dataset.heard = newValue;
      });
    });
    const other = await page.context().newPage();
    await other.goto(`${waxseal.url}/links`);
    await other.getByText(/^Looked at/).waitFor();
    for (const name of names) {
      const row = other
        .locator("#links > li")
        .filter({ has: other.getByRole("link", { name, exact: true }) });
      await row.getByRole("button", { name: "Forget" }).click();
    }
    // What is written last is heard of last.
    await other.evaluate((last) => localStorage.setItem("over", last), names.join());
    await page.locator(`body[data-heard="${names.join()}"]`).waitFor();
    await other.close();
  }

  const remembering = () => page.getByLabel("Remember these links in this browser");
  const rememberNote = () => page.locator("#remember-all-note").textContent();

  it("is not said to be forgotten while others that were made with or after it are kept", async () => {
    await failCreates(3, 3);
    await fill(["Anna", "Bo", "Cem", "Dana"]);
    await button("Create link").click();
    await heading(page, "2 of 4 links are ready").waitFor();
    await remembering().check();
    await button("Try again").click();
    await heading(page, "Your links are ready").waitFor();
    await forgetElsewhere(["Anna", "Bo"]);
    assert.ok(await remembering().isChecked());
    assert.equal(await rememberNote(), "Remembered.");
    await forgetElsewhere(["Cem", "Dana"]);
    assert.equal(await remembering().isChecked(), false);
    assert.equal(await rememberNote(), "Forgotten in another tab.");
  });

  it("is not said to be forgotten when it was one of those that stood there before", async () => {
    await make(["Anna", "Bo"]);
    await remembering().check();
    await page.evaluate(() => {
      for (const type of ["pagehide", "pageshow"])
        dispatchEvent(new PageTransitionEvent(type, { persisted: true }));
    });
    await heading(page, "Share a secret").waitFor();
    await enter(["Cem", "Dana"]);
    await button("Create link").click();
    await heading(page, "Your links are ready").waitFor();
    await forgetElsewhere(["Anna", "Bo"]);
    assert.ok(await remembering().isChecked());
    assert.equal(await rememberNote(), "Remembered.");
  });

  it("may be for one person", async () => {
    await fill(["Anna"]);
    await button("Create link").click();
    await heading(page, "Your link is ready").waitFor();
    assert.equal(await page.title(), "Your link is ready · Waxseal");
    assert.deepEqual(await labels(), ["Anna"]);
  });

  it("is out of the page once that is left, and doesn't come back with it", async () => {
    await make(["Anna Lindqvist", "Bo Møller"]);
    const made = await links();
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true })));
    const html = await page.evaluate(() => document.documentElement.outerHTML);
    for (const link of made) assert.ok(!html.includes(link.split("#")[1] ?? ""));
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
    await heading(page, "Share a secret").waitFor();
  });

  it("is for 50 people at most, each with another name, before anything is encrypted", async () => {
    await fill(Array.from({ length: 51 }, (_, i) => `Person ${i}`));
    await button("Create link").click();
    await page.getByRole("link", { name: "51 people are too many. The limit is 50." }).click();
    assert.equal(await page.evaluate(() => document.activeElement?.id), "people");
    await people().fill("Anna\nAnna");
    await button("Create link").click();
    await page.locator("#people-problem").getByText("Anna is there twice.").waitFor();
    assert.equal(creates().length, 0);
  });

  it("sends nothing where its code can't be loaded", async () => {
    await page.route("**/assets/recipients-*", (route) => route.abort());
    await fill(["Anna"]);
    await button("Create link").click();
    await page.getByText("The code for several recipients couldn't be loaded. Nothing was sent.").waitFor();
    assert.equal(creates().length, 0);
  });
});
