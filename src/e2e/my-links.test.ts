import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Browser, BrowserContext, Page, Request } from "playwright-core";
import { launchChromium } from "../testing/chromium.ts";
import { putLinks, type RememberedLink } from "./remembered-links.ts";
import { deleteByReceipt, openOptions, share, startWaxseal, stateOf, type Waxseal } from "./rig.ts";

describe("my links", () => {
  let waxseal: Waxseal;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const requests: Request[] = [];

  before(async () => {
    waxseal = await startWaxseal();
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    await waxseal?.close();
  });
  beforeEach(async () => {
    for (const old of browser.contexts()) await old.close();
    context = await browser.newContext();
    page = await context.newPage();
    requests.length = 0;
    context.on("request", (request) => requests.push(request));
  });

  const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
  const box = () => page.getByLabel("Remember this link in this browser");
  const row = (label: string) => page.locator("#links > li").filter({ hasText: label });
  const labels = () => page.locator("#links > li a").allTextContents();
  const stored = () => page.evaluate(() => Object.keys(localStorage).filter((key) => key !== "waxseal.own"));
  const looked = () => page.getByText(/^Looked at/).waitFor();
  const asked = () => requests.filter((request) => request.url().endsWith("/api/v1/receipt")).length;

  /** From a new link, which must not be lost on the way: in another tab. */
  async function toMyLinks(): Promise<void> {
    const popup = page.waitForEvent("popup");
    await page.locator("[data-screen=ready]").getByRole("link", { name: "My links" }).click();
    assert.ok(await page.getByRole("heading", { name: "Your link is ready" }).isVisible());
    page = await popup;
  }

  async function make(): Promise<string> {
    await page.goto(`${waxseal.url}/`);
    await page.getByLabel("Secret", { exact: true }).fill("hunter2");
    await press("Create link");
    await page.getByRole("heading", { name: "Your link is ready" }).waitFor();
    return page.locator("#link").inputValue();
  }

  async function remember(label: string): Promise<string> {
    const link = await make();
    await box().check();
    await page.getByLabel(/^Label/).fill(label);
    return link;
  }

  /** Opens the list with these in it, as if they had been remembered on the ready screen. */
  async function list(links: readonly RememberedLink[]): Promise<void> {
    await page.goto(`${waxseal.url}/robots.txt`);
    await page.evaluate(putLinks, links);
    await page.goto(`${waxseal.url}/links`);
  }

  const shareMany = (count: number) =>
    Promise.all(
      Array.from({ length: count }, async (_, i) => ({ ...(await share(waxseal.url)), label: `Link ${i}.` })),
    );

  it("keeps nothing before somebody asks for it, and says so where there is nothing", async () => {
    await make();
    assert.equal(await box().isChecked(), false);
    assert.deepEqual(await stored(), []);
    await toMyLinks();
    await page.getByText("None is remembered here.").waitFor();
    assert.ok(await page.getByRole("button", { name: "Forget all" }).isHidden());
    assert.equal(asked(), 0);
  });

  it("lists a remembered link with label and state, and neither leaves the browser", async () => {
    await remember("Root of db-3, for Ann");
    await toMyLinks();
    await row("Root of db-3, for Ann")
      .getByText(/^Sealed,/)
      .waitFor();
    await row("Root of db-3, for Ann")
      .getByText(/^deletes .+ if unopened$/)
      .waitFor();
    const href = (await page.getByRole("link", { name: "Root of db-3, for Ann" }).getAttribute("href")) ?? "";
    const receipt = href.split("/r#")[1] ?? "";
    assert.equal(receipt.length, 64);
    for (const request of requests) {
      const sent = `${request.url().split("#")[0]} ${JSON.stringify(request.headers())} ${request.postData() ?? ""}`;
      assert.ok(!sent.includes("db-3"), sent);
      assert.ok(!(request.url().split("#")[0] ?? "").includes(receipt.slice(0, 20)));
    }
    await page.getByRole("link", { name: "Root of db-3, for Ann" }).click();
    await page.getByRole("heading", { name: "Sealed" }).waitFor();
    await page.getByRole("link", { name: "My links" }).click();
    await page.getByRole("heading", { name: "My links" }).waitFor();
  });

  it("remembers the next links by itself, until that is taken back", async () => {
    await remember("The first.");
    await make();
    assert.equal(await box().isChecked(), true);
    await page.getByText("Remembered.").waitFor();
    await page.goto(`${waxseal.url}/links`);
    await looked();
    assert.equal((await labels()).length, 2);
    assert.match((await labels())[0] ?? "", /^Link made /);

    await make();
    await box().uncheck();
    await page.getByText("Forgotten. New links aren't remembered.").waitFor();
    await make();
    assert.equal(await box().isChecked(), false);
    await page.goto(`${waxseal.url}/links`);
    await looked();
    assert.equal((await labels()).length, 2);
  });

  it("says of each what became of it, and offers to delete what still can be", async () => {
    const [sealed, opened, deleted, expired] = await Promise.all([
      share(waxseal.url, { ttl: 86_400 }),
      share(waxseal.url, { ttl: 86_400 }),
      share(waxseal.url, { ttl: 86_400 }),
      share(waxseal.url, { ttl: 60 }),
    ]);
    await deleteByReceipt(waxseal.url, deleted);
    const other = await (await browser.newContext()).newPage();
    await other.goto(opened.link);
    await other.getByRole("button", { name: "Open secret" }).click();
    await other.getByRole("heading", { name: "Here's your secret" }).waitFor();
    waxseal.advance(61);
    const never = { receiptFragment: sealed.receiptFragment.replace(/^.{4}/, "AAAA") };
    await list([
      { ...sealed, label: "One" },
      { ...opened, label: "Two" },
      { ...deleted, label: "Three" },
      { ...expired, label: "Four" },
      { ...never, label: "Five" },
    ]);
    await looked();
    const told = await page.locator("#links > li strong").allTextContents();
    assert.deepEqual(told, ["Sealed,", "Opened", "Deleted", "Expired unopened", "Not known any more."]);
    const seals = await page
      .locator("#links .mark")
      .evaluateAll((marks) => marks.map((mark) => mark.getAttribute("data-seal")));
    assert.deepEqual(seals, ["sealed", "opened", "deleted", "expired", "expired"]);
    assert.equal(await page.getByRole("button", { name: "Delete now" }).count(), 1);
    assert.match(await row("Two").innerText(), /Opened .*\d{4}/);
  });

  it("asks again for one that the server doesn't know only when told to, and not for one that has ended", async () => {
    const [gone, ended, sealed] = await Promise.all([
      share(waxseal.url),
      share(waxseal.url),
      share(waxseal.url),
    ]);
    await deleteByReceipt(waxseal.url, ended);
    await list([
      { receiptFragment: gone.receiptFragment.replace(/^.{4}/, "AAAA"), label: "Gone." },
      { ...ended, label: "Ended." },
      { ...sealed, label: "Sealed." },
    ]);
    await looked();
    assert.equal(asked(), 3);
    await press("Look again");
    await page.getByRole("button", { name: "Look again" }).waitFor();
    assert.equal(asked(), 5);
    await page.reload();
    await looked();
    assert.equal(asked(), 7);
    await row("Gone.").getByText("Not known any more.").waitFor();
  });

  it("takes back that a link isn't known when the server knows it after all", async () => {
    const secret = await share(waxseal.url);
    await page.route("**/api/v1/receipt", (route) =>
      route.fulfill({ status: 404, contentType: "application/problem+json", body: '{"code":"not-found"}' }),
    );
    await list([{ ...secret, label: "Elsewhere." }]);
    await row("Elsewhere.").getByText("Not known any more.").waitFor();
    await page.unroute("**/api/v1/receipt");
    await press("Look again");
    await row("Elsewhere.")
      .getByText(/^Sealed/)
      .waitFor();
    await page.reload();
    await row("Elsewhere.")
      .getByText(/^Sealed/)
      .waitFor();
  });

  it("deletes a secret from the list", async () => {
    const secret = await share(waxseal.url);
    await list([{ ...secret, label: "Doomed." }]);
    await press("Delete now");
    await row("Doomed.").getByText("Deleted", { exact: true }).waitFor();
    assert.equal(await stateOf(waxseal.url, secret), "deleted");
    assert.ok(await page.getByRole("button", { name: "Delete now" }).isHidden());
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Doomed.");
  });

  it("says so where a secret can't be deleted, and lets it be tried again", async () => {
    const secret = await share(waxseal.url);
    await list([{ ...secret, label: "Stubborn." }]);
    await page.route("**/api/v1/receipt/secret", (route) => route.abort());
    await press("Delete now");
    await page.getByText("We can't tell whether it was deleted. Try again.").waitFor();
    await page.unroute("**/api/v1/receipt/secret");
    await press("Delete now");
    await row("Stubborn.").getByText("Deleted", { exact: true }).waitFor();
  });

  it("forgets one link and leaves its secret as it is", async () => {
    const [first, second] = await Promise.all([share(waxseal.url), share(waxseal.url)]);
    await list([
      { ...first, label: "One" },
      { ...second, label: "Two" },
    ]);
    await row("One").getByRole("button", { name: "Forget" }).click();
    assert.deepEqual(await labels(), ["Two"]);
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Two");
    assert.equal(await stateOf(waxseal.url, first), "sealed");
    await page.reload();
    await looked();
    assert.deepEqual(await labels(), ["Two"]);
  });

  it("forgets all in one click, says so, and is back to keeping nothing", async () => {
    await remember("The last.");
    await page.goto(`${waxseal.url}/links`);
    await looked();
    await press("Forget all");
    await page.getByText("1 link is forgotten. Its secret stays as it is.").waitFor();
    assert.equal(await page.evaluate(() => document.activeElement?.id), "forgotten");
    assert.deepEqual(await labels(), []);
    assert.deepEqual(await stored(), []);
    await make();
    assert.equal(await box().isChecked(), false);
    assert.deepEqual(await stored(), []);
  });

  it("follows what another tab does to the list", async () => {
    await list([{ ...(await share(waxseal.url)), label: "Here already." }]);
    await looked();
    const watching = page;
    page = await context.newPage();
    await remember("From the other tab.");
    await watching.getByRole("link", { name: "From the other tab." }).waitFor();
    await watching
      .locator("#links > li")
      .filter({ hasText: "From the other tab." })
      .getByText(/^Sealed/)
      .waitFor();
    await page.goto(`${waxseal.url}/links`);
    await looked();
    await press("Forget all");
    await watching.getByText("None is remembered here.").waitFor();
    page = watching;
    assert.deepEqual(await labels(), []);
  });

  it("doesn't go on saying beside new links that they are remembered, once another tab has forgotten them", async () => {
    await remember("Forgotten elsewhere.");
    const one = page;
    page = await context.newPage();
    await page.goto(`${waxseal.url}/`);
    await page.getByLabel("Secret", { exact: true }).fill("hunter2");
    await openOptions(page);
    await page.getByLabel("One link for each person").fill("Ann\nBo");
    await press("Create link");
    const several = page;
    const both = several.getByLabel("Remember these links in this browser");
    await several.getByText("Remembered.", { exact: true }).waitFor();
    page = await context.newPage();
    await page.goto(`${waxseal.url}/links`);
    await looked();
    await press("Forget all");
    await one.getByText("Forgotten in another tab.").waitFor();
    await several.getByText("Forgotten in another tab.").waitFor();
    assert.equal(await one.getByLabel("Remember this link in this browser").isChecked(), false);
    assert.ok(await one.getByLabel(/^Label/).isHidden());
    assert.equal(await both.isChecked(), false);
    assert.deepEqual(await stored(), []);
  });

  it("looks again when the page comes into view", async () => {
    const secret = await share(waxseal.url);
    await list([{ ...secret, label: "Watched." }]);
    await row("Watched.")
      .getByText(/^Sealed/)
      .waitFor();
    await deleteByReceipt(waxseal.url, secret);
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await row("Watched.").getByText("Deleted", { exact: true }).waitFor();
  });

  it("has four requests under way at most", async () => {
    let underWay = 0;
    let most = 0;
    let release = () => {};
    const full = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route("**/api/v1/receipt", async (route) => {
      underWay += 1;
      most = Math.max(most, underWay);
      if (underWay === 4) release();
      await full;
      await route.continue();
      underWay -= 1;
    });
    await list(await shareMany(12));
    await looked();
    assert.equal(most, 4);
    assert.equal(await page.getByText(/^Sealed,/).count(), 12);
  });

  it("stops asking where there were too many tries, says so, and goes on when told to", async () => {
    await page.route("**/api/v1/receipt", (route) =>
      route.fulfill({
        status: 429,
        headers: { "Retry-After": "42", "Content-Type": "application/problem+json" },
        body: JSON.stringify({ code: "limited" }),
      }),
    );
    await list(await shareMany(12));
    await page.getByText("Too many tries. Wait 42 seconds.").waitFor();
    assert.ok(asked() <= 4, `${asked()} requests`);
    assert.equal(await page.getByText("We can't tell right now.").count(), 12);
    await page.unroute("**/api/v1/receipt");
    await press("Look again");
    await looked();
    assert.equal(await page.getByText(/^Sealed,/).count(), 12);
    assert.ok(await page.getByText("Too many tries.").isHidden());
  });

  it("goes on with whatever it finds in storage", async () => {
    const { receiptFragment } = await share(waxseal.url);
    const good = {
      receipt: receiptFragment,
      label: "Ours.",
      createdAt: "2026-01-02T03:04:05Z",
      expiresAt: "2026-01-03T03:04:05Z",
    };
    const strange: unknown[] = [
      "{",
      "null",
      "7",
      "{}",
      '"text"',
      "[null, 7, [], {}]",
      JSON.stringify([
        { ...good, receipt: "../../evil" },
        { ...good, receipt: 7 },
        { ...good, createdAt: "yesterday" },
        { ...good, label: {} },
      ]),
    ];
    await page.goto(`${waxseal.url}/robots.txt`);
    const key = `waxseal.links /`;
    for (const text of strange) {
      await page.evaluate(([name, value]) => localStorage.setItem(String(name), String(value)), [key, text]);
      await page.goto(`${waxseal.url}/links`);
      await page.getByText("None is remembered here.").waitFor();
    }
    const mixed = JSON.stringify([null, { ...good, receipt: "x" }, good, { ...good, label: "Twice." }]);
    await page.evaluate(([name, value]) => localStorage.setItem(String(name), String(value)), [key, mixed]);
    await page.goto(`${waxseal.url}/links`);
    await looked();
    assert.deepEqual(await labels(), ["Ours."]);
  });

  for (const [why, breakStorage] of Object.entries({
    "is switched off": () => {
      Object.defineProperty(window, "localStorage", {
        get() {
          throw new DOMException("Access is denied", "SecurityError");
        },
      });
    },
    "is full": () => {
      Storage.prototype.setItem = () => {
        throw new DOMException("Too much", "QuotaExceededError");
      };
    },
  })) {
    it(`says so where storage ${why}, and the link is ready all the same`, async () => {
      await page.addInitScript(breakStorage);
      await make();
      await box().click();
      await page.getByText("Your browser keeps nothing here").waitFor();
      assert.equal(await box().isChecked(), false);
      await page.goto(`${waxseal.url}/links`);
      await page.getByText("This browser keeps nothing for this page").waitFor();
    });
  }

  it("shows a label as text, whatever it looks like", async () => {
    const label = '<img src=x onerror="document.title=1"> & "quotes"';
    await remember(label);
    await page.goto(`${waxseal.url}/links`);
    await looked();
    assert.deepEqual(await labels(), [label]);
  });

  it("says what to turn on where there is no script", async () => {
    const still = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
    await still.goto(`${waxseal.url}/links`);
    await still.getByText(/Turn on JavaScript, so that this page can read the list/).waitFor();
  });

  it("is one click away from the create page", async () => {
    await page.goto(`${waxseal.url}/`);
    await page.locator("[data-screen=compose]").getByRole("link", { name: "My links" }).click();
    await page.getByRole("heading", { name: "My links" }).waitFor();
  });
});
