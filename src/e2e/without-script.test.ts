import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Browser, Page, Request } from "playwright-core";
import { launchChromium } from "../testing/chromium.ts";
import { timeWords } from "../web/state-words.ts";
import { share, startWaxseal, stateOf, type Waxseal } from "./rig.ts";

describe("without script", () => {
  let waxseal: Waxseal;
  let browser: Browser;
  let page: Page;
  let requests: Request[] = [];

  before(async () => {
    waxseal = await startWaxseal();
    browser = await launchChromium({ names: ["waxseal.test"] });
  });
  after(async () => {
    await browser?.close();
    await waxseal?.close();
  });
  beforeEach(async () => {
    for (const context of browser.contexts()) await context.close();
    page = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
    requests = [];
    page.on("request", (request) => requests.push(request));
  });

  const heading = (name: string) => page.getByRole("heading", { name, exact: true });

  async function createAssisted(text: string, passphrase = ""): Promise<{ link: string; receipt: string }> {
    await page.goto(`${waxseal.url}/`);
    await page.getByRole("link", { name: "let the server encrypt it" }).click();
    await page.getByText("The server will see the secret for a moment.").waitFor();
    await page.getByLabel("Secret", { exact: true }).fill(text);
    await page.getByLabel(/^Passphrase/).fill(passphrase);
    await page.getByRole("button", { name: "Create link" }).click();
    await heading("Your link is ready").waitFor();
    return {
      link: await page.getByLabel("Link", { exact: true }).inputValue(),
      receipt: await page.getByLabel(/^Receipt/).inputValue(),
    };
  }

  async function openAssisted(link: string, passphrase = ""): Promise<void> {
    await page.goto(`${waxseal.url}/assisted/open`);
    await page.getByLabel("Link or receipt").fill(link);
    await page.getByLabel(/^Passphrase/).fill(passphrase);
    await page.getByRole("button", { name: "Open secret" }).click();
  }

  it("says on the create page to turn JavaScript on, and shows nothing to type into", async () => {
    await page.goto(`${waxseal.url}/`);
    await page
      .getByText(/Turn on JavaScript, so that your browser can encrypt the secret before sending it\./)
      .waitFor();
    assert.ok(await page.locator("#secret").isHidden());
    assert.ok(await page.locator(".watchdog").isHidden());
  });

  it("says on the open page that nothing has been opened", async () => {
    const shared = await share(waxseal.url);
    await page.goto(shared.link);
    await page.getByText(/Turn on JavaScript.*Nothing has been opened\./).waitFor();
    assert.equal(await stateOf(waxseal.url, shared), "sealed");
  });

  it("seals what the server was given with the same envelope, and a page with script opens it", async () => {
    const { link } = await createAssisted("one\ntwo ✓ 100% & more+");
    const scripted = await (await browser.newContext()).newPage();
    await scripted.goto(link);
    await scripted.getByRole("button", { name: "Open secret" }).click();
    await scripted.getByRole("heading", { name: "Here's your secret" }).waitFor();
    assert.equal(await scripted.locator("#parts .secret").textContent(), "one\ntwo ✓ 100% & more+");
  });

  it("opens a pasted link once, and then says when it was opened", async () => {
    const { link } = await share(waxseal.url, { text: "<b>hunter2</b> & co" });
    await openAssisted(link);
    await heading("Here's your secret").waitFor();
    assert.equal(await page.locator(".secret").textContent(), "<b>hunter2</b> & co");
    await openAssisted(link);
    await page.getByText(/This secret was opened and is deleted/).waitFor();
  });

  it("keeps the line breaks that a secret begins with, in the form and on the page that opens it", async () => {
    const text = "\n\nkey";
    await page.goto(`${waxseal.url}/assisted`);
    await page.context().clearCookies();
    await page.getByLabel("Secret", { exact: true }).fill(text);
    await page.getByRole("button", { name: "Create link" }).click();
    await page.getByText("This form was too old").waitFor();
    assert.equal(await page.getByLabel("Secret", { exact: true }).inputValue(), text);
    const { link } = await share(waxseal.url, { text });
    await openAssisted(link);
    assert.equal(await page.locator(".secret").textContent(), text);
  });

  it("shows what became of it for a pasted receipt, and how to end it as long as it is sealed", async () => {
    const { link, receipt } = await createAssisted("hunter2");
    await openAssisted(receipt);
    await heading("Sealed").waitFor();
    await page.getByText(/It is deleted .* UTC\./).waitFor();
    await page.getByRole("button", { name: "Delete now" }).waitFor();
    await openAssisted(link);
    await openAssisted(receipt);
    await heading("Opened").waitFor();
    assert.ok(!(await page.locator("main").innerText()).includes("It is deleted"));
    assert.equal(await page.getByRole("button").count(), 0);
  });

  it("deletes by a receipt at a press of a button, and the link opens no more", async () => {
    const { link, receipt } = await createAssisted("hunter2");
    await openAssisted(receipt);
    await page.getByRole("button", { name: "Delete now" }).click();
    await heading("Deleted").waitFor();
    await page.getByText("The secret is gone and the link no longer opens.").waitFor();
    assert.equal(await page.getByRole("button").count(), 0);
    await page.reload();
    await heading("Deleted").waitFor();
    await openAssisted(link);
    await page.getByText("The sender deleted this secret.").waitFor();
    const fragment = receipt.split("#")[1] ?? "";
    assert.ok(fragment !== "" && requests.every((request) => !request.url().includes(fragment)));
  });

  it("unlocks by a receipt what wrong passphrases have locked, and a reload unlocks no later lock", async () => {
    const { link, receipt } = await createAssisted("hunter2", "correct horse");
    const lock = async () => {
      const other = await page.context().newPage();
      await other.goto(`${waxseal.url}/assisted/open`);
      await other.getByLabel("Link or receipt").fill(link);
      for (let tries = 10; tries > 0; tries--) {
        await other.getByLabel(/^Passphrase/).fill("wrong");
        await other.getByRole("button", { name: "Open secret" }).click();
        await other.getByText(tries > 1 ? `${tries - 1} tr` : "The secret is locked").waitFor();
      }
      await other.close();
    };
    await lock();
    await openAssisted(receipt);
    await heading("Locked").waitFor();
    await page.getByRole("button", { name: "Unlock" }).click();
    await heading("Sealed").waitFor();
    await page.getByText("10 passphrase tries left.").waitFor();
    await lock();
    await page.reload();
    await heading("Locked").waitFor();
    await page.getByRole("button", { name: "Unlock" }).click();
    await page.getByText(/^Unlocked\./).waitFor();
    await openAssisted(link, "correct horse");
    await heading("Here's your secret").waitFor();
  });

  it("keeps the receipt in the form where it could not be done, and does it from there", async () => {
    const { receipt } = await createAssisted("hunter2");
    await openAssisted(receipt);
    await page.context().clearCookies();
    await page.getByRole("button", { name: "Delete now" }).click();
    await page.locator(".problem:focus").waitFor();
    assert.match(await page.title(), /^Error: Delete this secret/);
    assert.equal(await page.getByLabel("Receipt").inputValue(), receipt);
    await page.getByRole("button", { name: "Delete now" }).click();
    await heading("Deleted").waitFor();
  });

  it("counts a wrong passphrase, keeps the link in the form, and opens with the right one", async () => {
    const { link } = await createAssisted("hunter2", "correct horse");
    await openAssisted(link, "wrong");
    await page.getByText("That passphrase is wrong. The secret is still sealed. 9 tries left.").waitFor();
    assert.equal(await page.getByLabel("Link or receipt").inputValue(), link);
    await page.getByLabel(/^Passphrase/).fill("correct horse");
    await page.getByRole("button", { name: "Open secret" }).click();
    await heading("Here's your secret").waitFor();
  });

  it("says that part of a pasted link is missing", async () => {
    const { link } = await share(waxseal.url);
    await openAssisted(link.slice(0, -4));
    await page.getByText("Part of this link is missing.").waitFor();
    assert.equal(await page.getByLabel("Link or receipt").inputValue(), link.slice(0, -4));
  });

  it("asks for a secret where none was typed", async () => {
    await page.goto(`${waxseal.url}/assisted`);
    await page.getByRole("button", { name: "Create link" }).click();
    await page.getByRole("link", { name: "Enter a secret" }).waitFor();
    assert.match(await page.title(), /^Error: /);
    await page.locator(".problem:focus").waitFor();
  });

  it("refuses a form whose token isn't this browser's, and keeps the text", async () => {
    await page.goto(`${waxseal.url}/assisted`);
    await page.getByLabel("Secret", { exact: true }).fill("kept");
    await page.context().clearCookies();
    await page.getByRole("button", { name: "Create link" }).click();
    await page.getByText("This form was too old").waitFor();
    assert.equal(await page.getByLabel("Secret", { exact: true }).inputValue(), "kept");
    await page.getByRole("button", { name: "Create link" }).click();
    await heading("Your link is ready").waitFor();
  });

  it("says which answer to reload where too many are created, and the browser sends all of it again", async () => {
    const few = await startWaxseal({ RATE_LIMIT_CREATE: "1/1h", TRUST_PROXY: "1" });
    try {
      await page.goto(`${few.url}/assisted`);
      await page.getByLabel("Secret", { exact: true }).fill("kept all the while");
      await share(few.url);
      await page.getByRole("button", { name: "Create link" }).click();
      await page.getByText("To send what you entered again, reload this page then").waitFor();
      await page.reload();
      await page.getByText("To send what you entered again, reload this page then").waitFor();
      // As good as waiting: nobody has created anything from there.
      await page.setExtraHTTPHeaders({ "X-Forwarded-For": "192.0.2.1" });
      await page.reload();
      await heading("Your link is ready").waitFor();
      const link = await page.getByLabel("Link", { exact: true }).inputValue();
      await page.goto(`${few.url}/assisted/open`);
      await page.getByLabel("Link or receipt").fill(link);
      await page.getByRole("button", { name: "Open secret" }).click();
      await heading("Here's your secret").waitFor();
      assert.equal(await page.locator(".secret").textContent(), "kept all the while");
    } finally {
      await few.close();
    }
  });

  it("keeps link and passphrase where the sender's rules refuse, and says from when on they don't", async () => {
    const passphrase = "correct horse";
    const network = await share(waxseal.url, { passphrase, rules: { networks: ["192.0.2.0/24"] } });
    await openAssisted(network.link, passphrase);
    await page.getByText("Only certain networks may open this secret, and yours is none of them.").waitFor();
    assert.equal(await page.getByLabel("Link or receipt").inputValue(), network.link);
    assert.equal(await page.getByLabel(/^Passphrase/).inputValue(), passphrase);
    const from = new Date(Date.now() + 1_800_000);
    const later = await share(waxseal.url, { rules: { notBefore: from.toISOString() } });
    await openAssisted(later.link);
    await page.getByText(`It can be opened from ${timeWords(from.getTime())}. It is still sealed.`).waitFor();
    assert.equal(await stateOf(waxseal.url, later), "sealed");
  });

  it("takes no time that is over for the first at which it can be opened", async () => {
    await page.goto(`${waxseal.url}/assisted`);
    await page.getByLabel("Secret", { exact: true }).fill("kept");
    await page.getByText("Who may open").click();
    await page.getByLabel(/^Not before/).fill("2026-01-02T03:04");
    await page.getByRole("button", { name: "Create link" }).click();
    await page.getByText("That time is over. Choose a later one in UTC, or none").waitFor();
    assert.equal(await page.getByLabel("Secret", { exact: true }).inputValue(), "kept");
    assert.equal(await page.getByLabel(/^Not before/).inputValue(), "2026-01-02T03:04");
  });

  it("keeps everything in the form that was entered, and seals it with all of that", async () => {
    const full = await startWaxseal({
      GEOIP_DB: "/nowhere/countries.mmdb",
      SMTP_URL: "smtp://127.0.0.1:2525",
      SMTP_FROM: "waxseal@example.test",
      SMTP_ALLOW_DOMAINS: "example.test",
    });
    const inTwoDays = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 11);
    const values = [
      ["Secret", "hunter2"],
      [/^Passphrase/, "correct horse"],
      [/^Only from these networks/, "office"],
      [/^Only in these countries/, "Germany, at"],
      [/^Not before/, `${inTwoDays}08:15`],
      ["From", "22:30"],
      ["To", "00:00"],
      ["Your e-mail address (optional)", "ann@example.test"],
      [/^What to call it/, "Contract"],
    ] as const;
    const days = ["Monday", "Sunday"];
    const field = (label: string | RegExp) => page.getByLabel(label, { exact: true });
    try {
      await page.goto(`${full.url}/assisted`);
      for (const summary of ["Who may open", "Tell me what becomes of it"])
        await page.getByText(summary).click();
      for (const [label, value] of values) await field(label).fill(value);
      await field("Delete after").selectOption("259200");
      await field("Only in these office hours").check();
      for (const day of ["Tuesday", "Wednesday", "Thursday", "Friday"]) await field(day).uncheck();
      await field("Sunday").check();
      await field("Time zone").selectOption("Australia/Lord_Howe");
      await page.getByRole("button", { name: "Create link" }).click();
      await page.getByRole("link", { name: /^"office" is neither an address nor/ }).waitFor();
      for (const [label, value] of values) assert.equal(await field(label).inputValue(), value);
      assert.equal(await field("Delete after").inputValue(), "259200");
      assert.ok(await field("Only in these office hours").isChecked());
      for (const day of ["Monday", "Tuesday", "Friday", "Saturday", "Sunday"])
        assert.equal(await field(day).isChecked(), days.includes(day), day);
      assert.equal(await field("Time zone").inputValue(), "Australia/Lord_Howe");
      await field(/^Only from these networks/).fill("127.0.0.1; ::1");
      for (const day of ["Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]) await field(day).check();
      await page.getByRole("button", { name: "Create link" }).click();
      await heading("Your link is ready").waitFor();
      const [networks, countries, notBefore, hours, told] = await page
        .getByRole("list", { name: "What you chose" })
        .getByRole("listitem")
        .allTextContents();
      assert.equal(networks, "Only from 127.0.0.1 or ::1.");
      assert.equal(countries, "Only in Austria or Germany.");
      assert.match(notBefore ?? "", /^Not before .*, 08:15 UTC\.$/);
      assert.equal(hours, "Only Monday to Sunday, 22:30 to 24:00 in Australia/Lord Howe.");
      assert.match(told ?? "", /ann@example\.test/);
    } finally {
      await full.close();
    }
  });

  it("puts neither text nor link into an address", async () => {
    await createAssisted("hunter2-in-no-address");
    assert.ok(requests.every((request) => !request.url().includes("hunter2")));
  });

  it("has no assisted pages where the operator switched them off", async () => {
    const strict = await startWaxseal({ ASSISTED: "off" });
    try {
      await page.goto(`${strict.url}/`);
      await page.getByText(/Turn on JavaScript/).waitFor();
      assert.equal(await page.getByRole("link", { name: "let the server encrypt it" }).count(), 0);
      const response = await page.goto(`${strict.url}/assisted`);
      assert.equal(response?.status(), 404);
    } finally {
      await strict.close();
    }
  });

  it("lets nothing be typed into the assisted pages over plain http", async () => {
    const plain = await startWaxseal({}, "waxseal.test");
    try {
      await page.goto(`${plain.url}/assisted`);
      await heading("This page needs https").waitFor();
      assert.equal(await page.locator("textarea").count(), 0);
    } finally {
      await plain.close();
    }
  });
});

describe("a script that doesn't load", () => {
  it("is told after four seconds", async () => {
    const waxseal = await startWaxseal();
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      await page.route("**/assets/create-*.js", (route) => route.abort());
      await page.goto(`${waxseal.url}/`);
      await page.getByText("The encryption script didn't load. Nothing was sent. Reload the page.").waitFor();
    } finally {
      await browser.close();
      await waxseal.close();
    }
  });

  it("is told of just so where it fails at its start", async () => {
    const waxseal = await startWaxseal();
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      await page.route(`${waxseal.url}/`, async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, body: (await response.text()).replace('id="ttl"', "") });
      });
      await page.goto(`${waxseal.url}/`);
      await page.getByText("The encryption script didn't load. Nothing was sent. Reload the page.").waitFor();
    } finally {
      await browser.close();
      await waxseal.close();
    }
  });

  it("leaves a form that sends nothing", async () => {
    const waxseal = await startWaxseal();
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      const urls: string[] = [];
      page.on("request", (request) => urls.push(`${request.url()} ${request.postData() ?? ""}`));
      const blocked = page.waitForEvent("console", (message) => message.text().includes("form-action"));
      await page.route("**/assets/create-*.js", (route) => route.abort());
      await page.goto(`${waxseal.url}/`);
      await page.getByLabel("Secret", { exact: true }).fill("hunter2");
      // The policy stops the submit, so there is no navigation to wait for.
      await page.getByRole("button", { name: "Create link" }).click({ noWaitAfter: true });
      await blocked;
      assert.ok(!urls.some((url) => url.includes("hunter2")));
    } finally {
      await browser.close();
      await waxseal.close();
    }
  });

  it("isn't run when it isn't the script that was built", async () => {
    const waxseal = await startWaxseal();
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      await page.route("**/assets/create-*.js", async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, body: `${await response.text()};document.title="altered"` });
      });
      await page.goto(`${waxseal.url}/`);
      await page.getByText("The encryption script didn't load.").waitFor();
      assert.notEqual(await page.title(), "altered");
    } finally {
      await browser.close();
      await waxseal.close();
    }
  });
});

describe("plain http", () => {
  it("says that the page needs https, asks the server nothing, and offers https with the fragment kept", async () => {
    const waxseal = await startWaxseal({}, "waxseal.test");
    const browser = await launchChromium({ names: ["waxseal.test"] });
    try {
      const page = await browser.newPage();
      const api: string[] = [];
      page.on("request", (request) => request.url().includes("/api/") && api.push(request.url()));
      const shared = await share(waxseal.url.replace("waxseal.test", "127.0.0.1"));
      const fragment = shared.link.split("#")[1];
      await page.goto(`${waxseal.url}/s#${fragment}`);
      await page.getByRole("heading", { name: "This page needs https" }).waitFor();
      await page.getByText("Browsers turn off encryption on http. Ask your administrator.").waitFor();
      const href = await page.getByRole("link", { name: "Switch to https" }).getAttribute("href");
      assert.equal(href, `https://waxseal.test/s#${fragment}`);
      assert.deepEqual(api, []);
      await page.goto(`${waxseal.url}/`);
      await page.getByRole("heading", { name: "This page needs https" }).waitFor();
      assert.ok(await page.locator("#secret").isHidden());
    } finally {
      await browser.close();
      await waxseal.close();
    }
  });
});
