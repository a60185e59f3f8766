import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Browser, Page, Request } from "playwright-core";
import { launchChromium } from "../testing/chromium.ts";
import { clipboardOf, copyBy, startWaxseal, type Waxseal } from "./rig.ts";

describe("the create page", () => {
  let waxseal: Waxseal;
  let browser: Browser;
  let page: Page;
  const requests: Request[] = [];

  before(async () => {
    waxseal = await startWaxseal({ MAX_SECRET_BYTES: "100KiB" });
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
    requests.length = 0;
    page.on("request", (request) => requests.push(request));
    await page.goto(`${waxseal.url}/`);
  });

  const secret = () => page.getByLabel("Secret", { exact: true });
  const createLink = () => page.getByRole("button", { name: "Create link" });
  const heading = (name: string) => page.getByRole("heading", { name, exact: true });
  const posts = () => requests.filter((request) => request.method() === "POST");

  async function make(text: string): Promise<void> {
    await secret().fill(text);
    await createLink().click();
    await heading("Your link is ready").waitFor();
  }

  it("offers six times to delete after, with 24 hours chosen", async () => {
    const choices = await page.getByLabel("Delete after").locator("option").allTextContents();
    assert.deepEqual(choices, ["1 hour", "4 hours", "12 hours", "24 hours", "48 hours", "72 hours"]);
    assert.equal(await page.getByLabel("Delete after").inputValue(), "86400");
  });

  it("asks for a secret where none was entered, and sends nothing", async () => {
    await createLink().click();
    await page.getByRole("link", { name: "Enter a secret" }).waitFor();
    assert.equal(await page.title(), "Error: Share a secret · Waxseal");
    assert.equal(await page.evaluate(() => document.activeElement?.id), "problem");
    await page.getByRole("link", { name: "Enter a secret" }).click();
    assert.equal(await page.evaluate(() => document.activeElement?.id), "secret");
    assert.equal(posts().length, 0);
  });

  it("says how large a text is that's too large, keeps it, and sends nothing", async () => {
    const text = "x".repeat(120 * 1024);
    await secret().fill(text);
    await createLink().click();
    await page.getByText("Your text is 120 KB. The limit is 100 KB.").waitFor();
    assert.equal(await secret().inputValue(), text);
    assert.equal(posts().length, 0);
  });

  it("makes a link, keeps the address, focuses the heading and empties the form", async () => {
    await make("hunter2");
    assert.equal(page.url(), `${waxseal.url}/`);
    assert.equal(await page.title(), "Your link is ready · Waxseal");
    assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H1");
    assert.match(await page.locator("#link").inputValue(), /\/s#[A-Za-z0-9_-]{48}$/);
    assert.equal(await secret().inputValue(), "");
    await page.getByText(/Sealed. Deletes .+ if unopened\./).waitFor();
    for (const name of ["Copy link", "Copy with a note", "QR", "Delete now"]) {
      await page.getByRole("button", { name, exact: true }).waitFor();
    }
    await page.getByRole("link", { name: "E-mail" }).waitFor();
    await page.getByRole("link", { name: "See what became of it" }).waitFor();
  });

  it("never sends the text, the link's key or the passphrase", async () => {
    await page.getByLabel(/^Passphrase/).fill("correct horse battery");
    await make("a text nobody else may read");
    const fragment = (await page.locator("#link").inputValue()).split("#")[1] ?? "";
    const sent = requests
      .map((r) => `${r.url()} ${JSON.stringify(r.headers())} ${r.postData() ?? ""}`)
      .join("\n");
    for (const text of [
      "a text nobody else may read",
      "correct horse battery",
      fragment,
      fragment.slice(2, 40),
    ]) {
      assert.ok(!sent.includes(text), `${text} was sent`);
    }
  });

  it("tells the order in which to send link and passphrase", async () => {
    await page.getByLabel(/^Passphrase/).fill("correct horse");
    await make("hunter2");
    const steps = await page.locator("[data-screen=ready] h2:visible").allTextContents();
    assert.deepEqual(steps, ["1. Send the link", "2. Tell them the passphrase another way"]);
  });

  it("says Copied once the link is on the clipboard", async () => {
    await make("hunter2");
    await copyBy(
      page,
      page.getByRole("button", { name: "Copy link" }),
      page.getByRole("button", { name: "Copied" }),
    );
    const link = await page.locator("#link").inputValue();
    assert.equal(await clipboardOf(page, waxseal.url), link);
  });

  it("selects the link and names the keys where the clipboard can't be used", async () => {
    await page.evaluate(() => {
      Object.defineProperty(navigator, "clipboard", { value: undefined });
    });
    await make("hunter2");
    await page.getByRole("button", { name: "Copy link" }).click();
    await page.getByRole("button", { name: "Press Ctrl+C" }).waitFor();
    const selected = await page.evaluate(() => getSelection()?.toString() ?? "");
    assert.equal(selected, await page.locator("#link").inputValue());
  });

  it("draws the link as a QR code when asked to, and loads the code for it only then", async () => {
    await make("hunter2");
    assert.ok(!requests.some((request) => request.url().includes("/qr-")));
    await page.getByRole("button", { name: "QR" }).click();
    await page.getByRole("img", { name: "QR code of the link" }).waitFor();
  });

  it("says so where the code for the QR code can't be loaded", async () => {
    await page.route("**/assets/qr-*", (route) => route.abort());
    await make("hunter2");
    await page.getByRole("button", { name: "QR" }).click();
    await page.getByText("The QR code couldn't be loaded. The link itself is ready").waitFor();
    assert.equal(await page.evaluate(() => document.activeElement?.id), "ready-problem");
  });

  it("deletes the secret when told to", async () => {
    await make("hunter2");
    const receipt =
      (await page.getByRole("link", { name: "See what became of it" }).getAttribute("href")) ?? "";
    await page.getByRole("button", { name: "Delete now" }).click();
    await heading("Deleted").waitFor();
    await page.goto(receipt);
    await heading("Deleted").waitFor();
  });

  it("drops the newline after a single pasted line, says so, and gives it back", async () => {
    await page.evaluate(() => navigator.clipboard.writeText("hunter2\n"));
    await secret().focus();
    await page.keyboard.press("Control+V");
    await page.getByText("The line break at the end was dropped.").waitFor();
    assert.equal(await secret().inputValue(), "hunter2");
    await page.getByRole("button", { name: "Keep it" }).click();
    assert.equal(await secret().inputValue(), "hunter2\n");
    await createLink().click();
    await heading("Your link is ready").waitFor();
    assert.ok(await page.locator("#newline-dropped").isHidden());
  });

  it("drops nothing but the newline, even where spaces stand before it", async () => {
    await page.evaluate(() => navigator.clipboard.writeText("hunter2 \t \n"));
    await secret().focus();
    await page.keyboard.press("Control+V");
    await page.getByText("The line break at the end was dropped.").waitFor();
    assert.equal(await secret().inputValue(), "hunter2 \t ");
  });

  it("leaves a text of several lines as it is", async () => {
    await make("one\ntwo\n");
    assert.ok(await page.locator("#newline-dropped").isHidden());
    const recipient = await (await browser.newContext()).newPage();
    await recipient.goto(await page.locator("#link").inputValue());
    await recipient.getByRole("button", { name: "Open secret" }).click();
    assert.equal(await recipient.locator("#parts .secret").textContent(), "one\ntwo\n");
  });

  it("keeps the text when saving fails, and a second try creates one secret, not two", async () => {
    const bodies: string[] = [];
    await page.route("**/api/v1/secrets", async (route) => {
      bodies.push(route.request().postData() ?? "");
      if (bodies.length > 1) return route.continue();
      await route.fetch(); // the server has it; the answer gets lost
      await route.abort();
    });
    await secret().fill("hunter2");
    await createLink().click();
    await page.getByText("We couldn't save it. Your text is still here.").waitFor();
    assert.equal(await secret().inputValue(), "hunter2");
    await page.getByRole("button", { name: "Try again" }).click();
    await heading("Your link is ready").waitFor();
    assert.equal(bodies.length, 2);
    assert.equal(bodies[0], bodies[1]);
  });

  it("has one request under way however often the button is pressed", async () => {
    let arrived = 0;
    let goOn = () => {};
    const pressed = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    await page.route("**/api/v1/secrets", async (route) => {
      arrived += 1;
      await pressed;
      await route.continue();
    });
    await secret().fill("hunter2");
    await createLink().click();
    const working = page.locator("#create");
    assert.equal(await working.getAttribute("aria-busy"), "true");
    assert.equal(await working.textContent(), "Encrypting…");
    await working.click();
    await working.click();
    assert.equal(await working.textContent(), "Encrypting…");
    goOn();
    await heading("Your link is ready").waitFor();
    assert.equal(arrived, 1);
  });

  it("says how long to wait where there were too many tries", async () => {
    const waits = ["42", "1"];
    await page.route("**/api/v1/secrets", (route) =>
      route.fulfill({
        status: 429,
        headers: { "Retry-After": waits.shift() ?? "", "Content-Type": "application/problem+json" },
        body: JSON.stringify({ code: "limited" }),
      }),
    );
    await secret().fill("hunter2");
    await createLink().click();
    await page.getByText("Too many tries. Wait 42 seconds.").waitFor();
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("Too many tries. Wait 1 second.").waitFor();
    assert.equal(await secret().inputValue(), "hunter2");
  });

  it("gives the secret field no name, so that no submit can carry it", async () => {
    assert.equal(await secret().getAttribute("name"), null);
    await secret().fill("hunter2");
    await page.evaluate(() => {
      HTMLFormElement.prototype.submit.call(document.getElementById("compose"));
    });
    await page.waitForTimeout(200);
    assert.ok(!requests.some((request) => `${request.url()}${request.postData() ?? ""}`.includes("hunter2")));
  });
});
