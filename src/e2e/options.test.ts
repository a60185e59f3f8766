import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Browser, BrowserContextOptions, Page, Request } from "playwright-core";
import { launchChromium } from "../testing/chromium.ts";
import { heading } from "./file-people.ts";
import { openOptions, startWaxseal, type Waxseal } from "./rig.ts";

const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const HOUR = 3_600_000;

/** As a datetime-local field takes it, in UTC. */
const localTime = (time: number) => new Date(time).toISOString().slice(0, 16);

describe("more options", () => {
  let waxseal: Waxseal;
  let plain: Waxseal;
  let strict: Waxseal;
  let browser: Browser;
  let page: Page;
  const requests: Request[] = [];

  before(async () => {
    const mail = {
      SMTP_URL: "smtp://127.0.0.1:2525",
      SMTP_FROM: "waxseal@example.test",
      SMTP_ALLOW_DOMAINS: "example.test",
    };
    waxseal = await startWaxseal({ GEOIP_DB: "/nowhere/countries.mmdb", ...mail });
    plain = await startWaxseal();
    strict = await startWaxseal({ REQUIRE_PASSPHRASE: "on" });
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    for (const each of [waxseal, plain, strict]) await each?.close();
  });
  beforeEach(() => open(waxseal));

  async function open({ url }: Waxseal, options: BrowserContextOptions = {}): Promise<void> {
    for (const context of browser.contexts()) await context.close();
    page = await (await browser.newContext({ timezoneId: "UTC", ...options })).newPage();
    requests.length = 0;
    page.on("request", (request) => requests.push(request));
    await page.goto(`${url}/`);
    await page.getByLabel("Secret", { exact: true }).fill("hunter2");
  }

  const summary = () => page.getByText("More options", { exact: true });
  const networks = () => page.getByLabel("Only from these networks");
  const country = () => page.getByLabel("Only in these countries");
  const notBefore = () => page.getByLabel("Not before");
  const inHours = () => page.getByLabel("Only in office hours");
  const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
  const focused = () => page.evaluate(() => document.activeElement?.id);
  const bodies = () =>
    requests
      .filter((request) => request.method() === "POST" && request.url().endsWith("/api/v1/secrets"))
      .map((request) => request.postDataJSON() as Record<string, unknown>);

  /** The member of what was sent. */
  async function sent(member: "rules" | "notify"): Promise<unknown> {
    await press("Create link");
    await heading(page, "Your link is ready").waitFor();
    return bodies()[0]?.[member];
  }

  /** Presses the button, follows the summary's link, and sees that nothing was sent. */
  async function refused(words: string | RegExp, field: string): Promise<void> {
    await press("Create link");
    await page.getByRole("link", { name: words }).click();
    assert.equal(await focused(), field);
    assert.equal(bodies().length, 0);
  }

  const receiptOf = async () =>
    (await page.getByRole("link", { name: "See what became of it" }).getAttribute("href")) ?? "";

  it("come with code of their own, which is loaded when they are opened", async () => {
    const loaded = () => requests.some((request) => request.url().includes("/options-"));
    assert.ok(!loaded());
    await Promise.all([page.waitForRequest("**/assets/options-*"), summary().click()]);
    assert.ok(loaded());
  });

  it("leave a secret as it was where nothing is chosen", async () => {
    await openOptions(page);
    await press("Create link");
    await heading(page, "Your link is ready").waitFor();
    const members = [
      "accessHash",
      "blob",
      "id",
      "linkHash",
      "passphrase",
      "receiptHash",
      "share",
      "size",
      "ttl",
    ];
    assert.deepEqual(Object.keys(bodies()[0] ?? {}).sort(), members);
    assert.equal(await page.locator("#ready-terms").isVisible(), false);
  });

  it("offer neither countries nor e-mail where the installation has no means for them", async () => {
    await open(plain);
    await openOptions(page);
    await networks().waitFor();
    assert.equal(await country().count(), 0);
    assert.equal(await page.getByText("Tell me by e-mail").count(), 0);
  });

  it("let a secret open from some networks only, as the receipt says", async () => {
    await openOptions(page);
    await networks().fill("10.0.0.0/8\n2001:db8::/32\n");
    assert.deepEqual(await sent("rules"), { networks: ["10.0.0.0/8", "2001:db8::/32"] });
    const words = "Only from 10.0.0.0/8 or 2001:db8::/32.";
    assert.deepEqual(await page.locator("#ready-terms li").allTextContents(), [words]);
    const [link, receipt] = [await page.locator("#link").inputValue(), await receiptOf()];
    await page.goto(receipt);
    await page.getByText(words).waitFor();
    await page.evaluate(() => localStorage.clear());
    await page.goto(link);
    const answer = page.waitForResponse("**/api/v1/secret/open");
    await press("Open secret");
    assert.equal((await answer).status(), 403);
    await page.goto(receipt);
    await heading(page, "Sealed").waitFor();
  });

  it("find a slip in a network before anything is encrypted, beside the field too, and keep it", async () => {
    await openOptions(page);
    await networks().fill("10.0.0.0/8\noffice");
    await refused(/^office is neither an address nor a range/, "networks");
    assert.equal(
      await page.locator("#networks-problem").textContent(),
      await page.locator("#problem-link").textContent(),
    );
    assert.equal(await networks().getAttribute("aria-invalid"), "true");
    assert.equal(await networks().inputValue(), "10.0.0.0/8\noffice");
    assert.equal(await page.title(), "Error: Share a secret · Waxseal");
    await networks().fill("10.0.0.0/8");
    await press("Create link");
    await heading(page, "Your link is ready").waitFor();
  });

  it("say all that is wrong at once, in the order of the page", async () => {
    await page.getByLabel("Secret", { exact: true }).fill("");
    await openOptions(page);
    await networks().fill("office");
    await page.getByLabel("One link for each person").fill("Anna\nAnna");
    await press("Create link");
    await page.getByRole("link", { name: "Enter a secret" }).waitFor();
    const links = page.locator("#problem a");
    assert.equal(await links.count(), 3);
    await links.nth(2).click();
    assert.equal(await focused(), "people");
    await page.getByLabel("Secret", { exact: true }).fill("hunter2");
    await press("Create link");
    await page.locator("#problem a").nth(1).waitFor();
    assert.equal(await page.locator("#problem a").count(), 2);
  });

  it("take countries by name or code, with the keyboard alone, and give them back", async () => {
    await openOptions(page);
    await country().fill("Germany");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Remove Germany" }).waitFor();
    assert.equal(await focused(), "country");
    await country().fill("fr");
    await press("Add country");
    await country().fill("Japan");
    await press("Add country");
    await press("Remove France");
    assert.deepEqual(await page.locator("#countries .name").allTextContents(), ["Germany", "Japan"]);
    // Typed, and not added: it is meant all the same.
    await country().fill("Austria");
    assert.deepEqual(await sent("rules"), { countries: ["DE", "JP", "AT"] });
    await page.goto(await receiptOf());
    await page.getByText("Only in Austria, Germany, or Japan.").waitFor();
  });

  it("ask again for a country that nobody knows", async () => {
    await openOptions(page);
    await country().fill("Atlantis");
    await refused(/^We don't know the country Atlantis/, "country");
    await country().fill("Austria");
    await press("Add country");
    await page.locator("#problem").waitFor({ state: "hidden" });
    assert.equal(await country().getAttribute("aria-invalid"), null);
  });

  it("send the reader's own time as UTC", async () => {
    await open(waxseal, { timezoneId: "Asia/Tokyo" });
    await openOptions(page);
    const time = Math.floor(Date.now() / 60_000) * 60_000 + 3 * HOUR;
    await notBefore().fill(localTime(time + 9 * HOUR));
    assert.deepEqual(await sent("rules"), { notBefore: new Date(time).toISOString().replace(".000", "") });
    assert.match((await page.locator("#ready-terms").textContent()) ?? "", /^Not before /);
  });

  it("know that nobody could open before a time that is over, or after the secret is deleted", async () => {
    await openOptions(page);
    await notBefore().fill(localTime(Date.now() - HOUR));
    await refused(/^That time is over/, "not-before");
    await notBefore().fill(localTime(Date.now() + 25 * HOUR));
    await refused(/^The secret is deleted by then/, "not-before");
    await page.getByLabel("Delete after").selectOption("48 hours");
    assert.ok(await sent("rules"));
  });

  it("keep office hours by the reader's clock unless another is chosen", async () => {
    await open(waxseal, { timezoneId: "Europe/Vienna" });
    await openOptions(page);
    await inHours().check();
    await page.getByLabel("Delete after").selectOption("72 hours");
    for (const day of ["Saturday", "Sunday"]) await page.getByLabel(day).check();
    assert.equal(await page.getByLabel("Time zone").inputValue(), "Europe/Vienna");
    const days = [1, 2, 3, 4, 5, 6, 7];
    const hours = { zone: "Europe/Vienna", days, from: "09:00", to: "17:00" };
    assert.deepEqual(await sent("rules"), { hours });
    await page.goto(await receiptOf());
    await page.getByText("Only Monday to Sunday, 09:00 to 17:00 in Europe/Vienna.").waitFor();
  });

  it("may keep them around the clock and over midnight", async () => {
    await openOptions(page);
    await inHours().check();
    await page.getByLabel("From", { exact: true }).fill("00:00");
    await page.getByLabel("To", { exact: true }).fill("00:00");
    await page.getByLabel("Time zone").selectOption("Asia/Tokyo");
    for (const day of ["Saturday", "Sunday"]) await page.getByLabel(day).check();
    assert.match(JSON.stringify(await sent("rules")), /"Asia\/Tokyo".*"from":"00:00","to":"24:00"/);
  });

  it("know that nobody could open where no day is chosen, or none comes before the secret is deleted", async () => {
    await openOptions(page);
    await inHours().check();
    for (const day of DAYS) await page.getByLabel(day).uncheck();
    await refused("Choose a day, or switch off the office hours.", "day-1");
    const inThreeDays = DAYS[(new Date(Date.now() + 72 * HOUR).getUTCDay() + 6) % 7] ?? "";
    await page.getByLabel(inThreeDays).check();
    await refused(/^The secret is deleted before the office opens/, "in-hours");
  });

  it("ask for an address and a label to send e-mail with, and say that the server sees both", async () => {
    await openOptions(page);
    await page.getByText("The server sees both.").waitFor();
    await page.getByLabel("What to call it in the e-mail").fill("Contract");
    await refused(/^Enter one e-mail address/, "mail-to");
    await page.getByLabel("Your e-mail address").fill("me@example.test");
    assert.deepEqual(await sent("notify"), { email: "me@example.test", label: "Contract" });
    await page.getByText("What becomes of it is told to me@example.test.").waitFor();
  });

  it("lead to the address where the operator lets nobody be written to there, and keep the label", async () => {
    await openOptions(page);
    await page.getByLabel("Your e-mail address").fill("me@elsewhere.test");
    await page.getByLabel("What to call it in the e-mail").fill("Contract");
    await press("Create link");
    await page.locator("#mail-to-problem").waitFor();
    await page.locator("#problem-link").click();
    assert.equal(await focused(), "mail-to");
    assert.equal(await page.getByLabel("What to call it in the e-mail").inputValue(), "Contract");
    assert.equal(await page.getByLabel("Secret", { exact: true }).inputValue(), "hunter2");
  });

  it("tell by number, not by name, which person's link an e-mail is about", async () => {
    await openOptions(page);
    await page.getByLabel("Your e-mail address").fill("me@example.test");
    await page.getByLabel("What to call it in the e-mail").fill("Contract");
    await page.getByLabel("One link for each person").fill("Anna\nBo");
    await press("Create link");
    await heading(page, "Your links are ready").waitFor();
    const labels = bodies().map(({ notify }) => (notify as { label: string }).label);
    assert.deepEqual(labels, ["Contract (1 of 2)", "Contract (2 of 2)"]);
  });

  it("lead to the field that the server finds wrong, though they were closed again", async () => {
    await page.route("**/api/v1/secrets", (route) =>
      route.fulfill({
        status: 400,
        contentType: "application/problem+json",
        body: JSON.stringify({
          code: "invalid",
          errors: [{ field: "rules.networks.0", message: "Networks of yours only, please." }],
        }),
      }),
    );
    await openOptions(page);
    await networks().fill("10.0.0.0/8");
    await summary().click();
    await press("Create link");
    await page.getByRole("link", { name: "Networks of yours only, please." }).click();
    assert.equal(await focused(), "networks");
    assert.equal(await networks().inputValue(), "10.0.0.0/8");
  });

  it("hold after they were closed again, and are empty for the next secret", async () => {
    await openOptions(page);
    await networks().fill("10.0.0.0/8");
    await country().fill("DE");
    await press("Add country");
    await inHours().check();
    await page.getByLabel("From", { exact: true }).fill("00:00");
    await page.getByLabel("To", { exact: true }).fill("23:59");
    for (const day of ["Saturday", "Sunday"]) await page.getByLabel(day).check();
    await summary().click();
    const rules = (await sent("rules")) as object;
    assert.deepEqual(Object.keys(rules).sort(), ["countries", "hours", "networks"]);
    const left = await page.evaluate(() => [
      document.querySelector<HTMLTextAreaElement>("#networks")?.value,
      document.querySelector("#countries")?.childElementCount,
      document.querySelector<HTMLInputElement>("#in-hours")?.checked,
      document.querySelector<HTMLElement>("#hours")?.hidden,
      document.querySelector<HTMLDetailsElement>("#more")?.open,
    ]);
    assert.deepEqual(left, ["", 0, false, true, false]);
  });

  it("are never left out because their code can't be loaded: nothing is sent", async () => {
    await page.route("**/assets/options-*", (route) => route.abort());
    await summary().click();
    await page.locator("#more-problem").getByText("The code for more options couldn't be loaded.").waitFor();
    await networks().fill("10.0.0.0/8");
    await summary().click();
    await press("Create link");
    await page.getByRole("link", { name: /^The code for more options couldn't be loaded/ }).waitFor();
    assert.equal(bodies().length, 0);
    await page.unroute("**/assets/options-*");
    await press("Try again");
    await heading(page, "Your link is ready").waitFor();
    assert.deepEqual(bodies()[0]?.rules, { networks: ["10.0.0.0/8"] });
  });

  it("are kept, with the text, for somebody who has meanwhile left the network that may create", async () => {
    const detail = "Secrets can't be created from your network. Nothing was saved.";
    await page.route("**/api/v1/secrets", (route) =>
      route.fulfill({
        status: 403,
        contentType: "application/problem+json",
        body: JSON.stringify({ code: "refused", reason: "network", detail }),
      }),
    );
    await openOptions(page);
    await networks().fill("10.0.0.0/8");
    await press("Create link");
    await page.getByRole("link", { name: detail }).waitFor();
    assert.equal(await networks().inputValue(), "10.0.0.0/8");
    assert.equal(await page.getByLabel("Secret", { exact: true }).inputValue(), "hunter2");
  });

  it("are beside a passphrase that the server demands", async () => {
    await open(strict);
    await press("Create link");
    await page.getByRole("link", { name: /^Enter a passphrase\./ }).click();
    assert.equal(await focused(), "passphrase");
    assert.equal(bodies().length, 0);
    await page.getByLabel(/^Passphrase/).fill("correct horse");
    await press("Create link");
    await heading(page, "Your link is ready").waitFor();
  });
});
