import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Browser, Page } from "playwright-core";
import { launchChromium } from "../../testing/chromium.ts";
import { countryDatabase } from "../../testing/country-database.ts";
import { freePort } from "../../testing/free-port.ts";
import { startRedis, type TestRedis } from "../../testing/redis-server.ts";
import { launchServer, type ServerProcess, startServer } from "../../testing/server-process.ts";
import { share } from "../rig.ts";

const dir = mkdtempSync(join(tmpdir(), "waxseal-access-"));
const GEOIP_DB = join(dir, "countries.mmdb");
const servers: ServerProcess[] = [];
let redis: TestRedis;
let browser: Browser;
before(async () => {
  writeFileSync(GEOIP_DB, countryDatabase({ "198.51.100.0/24": "DE", "2001:db8::/32": "FR" }));
  redis = await startRedis();
  browser = await launchChromium();
});
after(async () => {
  await browser?.close();
  await Promise.all(servers.map((server) => server.stop()));
  await redis?.stop();
  rmSync(dir, { recursive: true });
});

/** Under a name that browsers take for a secure context. */
async function start(env: Readonly<Record<string, string>> = {}): Promise<string> {
  const server = await startServer({ REDIS_URL: redis.url, TRUST_PROXY: "loopback", GEOIP_DB, ...env });
  servers.push(server);
  return `http://localhost:${server.port}`;
}

async function comeFrom(address: string): Promise<Page> {
  const context = await browser.newContext({ extraHTTPHeaders: { "X-Forwarded-For": address } });
  return context.newPage();
}

const heading = (page: Page, name: string) => page.getByRole("heading", { name, exact: true });
const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();

describe("Two instances on one Redis, one that creates on the intranet and one that opens for everybody", () => {
  it("hand a secret over from one to the other, in real browsers", { timeout: 120_000 }, async () => {
    const opening = await start({ ROLE: "open" });
    const creating = await start({ ROLE: "create", LINK_URL: opening, CREATE_ALLOW_CIDRS: "10.0.0.0/8" });

    const stranger = await comeFrom("203.0.113.9");
    await stranger.goto(`${creating}/`);
    await heading(stranger, "Not from here").waitFor();
    const sender = await comeFrom("10.1.2.3");
    await sender.goto(`${creating}/`);
    await sender.getByLabel("Secret", { exact: true }).fill("hunter2 and more");
    await press(sender, "Create link");
    await heading(sender, "Your link is ready").waitFor();
    const link = await sender.locator("#link").inputValue();
    const receipt = (await sender.locator("#receipt").getAttribute("href")) ?? "";
    assert(link.startsWith(`${opening}/s#`), link.split("#")[0]);
    assert(receipt.startsWith(`${creating}/r#`), receipt.split("#")[0]);

    const reader = await comeFrom("203.0.113.9");
    await reader.goto(link.replace(opening, creating));
    await heading(reader, "Secrets are created here").waitFor();
    const elsewhere = reader.waitForEvent("popup");
    await reader.getByRole("link", { name: opening }).click();
    await heading(await elsewhere, "Secrets are opened here").waitFor();
    assert.equal((await elsewhere).url(), `${opening}/`);
    assert.equal(reader.url(), link.replace(opening, creating));
    await reader.goto(link);
    await press(reader, "Open secret");
    await heading(reader, "Here's your secret").waitFor();
    assert.match((await reader.locator("#parts").textContent()) ?? "", /hunter2 and more/);
    await sender.goto(receipt);
    await heading(sender, "Opened").waitFor();
    await reader.goto(`${opening}/`);
    await heading(reader, "Secrets are opened here").waitFor();
  });
});

describe("A page that may not open", () => {
  it("says why, keeps the secret sealed, and opens it from where it may", { timeout: 120_000 }, async () => {
    const url = await start();
    const refused = async (address: string, rules: object, passphrase: string) => {
      const page = await comeFrom(address);
      await page.goto((await share(url, { text: "hunter2 and more", passphrase, rules })).link);
      if (passphrase) await page.getByLabel("Passphrase").fill(passphrase);
      await press(page, "Open secret");
      return page;
    };
    for (const [rules, words, passphrase] of [
      [
        { networks: ["198.51.100.0/24"] },
        "Only certain networks are allowed. The secret is still sealed.",
        "",
      ],
      [
        { countries: ["DE"] },
        "The sender allowed only certain countries. The secret is still sealed.",
        "rosebud",
      ],
    ] as const) {
      for (const address of ["203.0.113.9", "2001:db8::7"]) {
        const page = await refused(address, rules, passphrase);
        await heading(page, "You can't open this from here").waitFor();
        await page.getByText(words).waitFor();
        await page.setExtraHTTPHeaders({ "X-Forwarded-For": "198.51.100.7" });
        await press(page, "Try again");
        await heading(page, "Here's your secret").waitFor();
        await page.context().close();
      }
    }
    const at = new Date(Date.now() + 3_000_000);
    const early = await refused("198.51.100.7", { notBefore: at.toISOString() }, "");
    await heading(early, "You can't open this now").waitFor();
    const options = { dateStyle: "medium", timeStyle: "short" } as const;
    const local = await early.evaluate(([time, format]) => new Date(time).toLocaleString(undefined, format), [
      at.getTime(),
      options,
    ] as const);
    await early.getByText(`It can be opened from ${local}. The secret is still sealed.`).waitFor();
    // All days but this one and the next, should it begin meanwhile.
    const today = new Date().getUTCDay() || 7;
    const days = [1, 2, 3, 4, 5, 6, 7].filter((day) => day !== today && day !== (today % 7) + 1);
    const closed = await refused(
      "198.51.100.7",
      { hours: { zone: "UTC", days, from: "00:00", to: "24:00" } },
      "",
    );
    await heading(closed, "You can't open this now").waitFor();
    await closed.getByText("It can be opened only at certain hours. The secret is still sealed.").waitFor();
  });
});

describe("A database of countries that can't be used", () => {
  it("keeps the server from starting, with words that name the fix", async () => {
    const broken = join(dir, "broken.mmdb");
    writeFileSync(broken, "not a database");
    for (const [path, says] of [
      [join(dir, "nowhere.mmdb"), /GEOIP_DB: the file can't be read \(ENOENT\)\. Correct the path/],
      [broken, /GEOIP_DB: the file is not a whole database in MaxMind's format\. Give an \.mmdb file/],
    ] as const) {
      const server = launchServer(await freePort(), { GEOIP_DB: path });
      assert.equal(await server.ended, 1);
      assert.match(server.output(), says);
      assert(!server.output().includes("    at "));
    }
  });
});
