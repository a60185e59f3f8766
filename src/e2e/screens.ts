import type { Page } from "playwright-core";
import { textPart } from "../envelope/parts.ts";
import { addFiles, createLink, file, filePart } from "./file-people.ts";
import { optionScenes } from "./option-scenes.ts";
import { pictures } from "./pictures.ts";
import { putLinks } from "./remembered-links.ts";
import { deleteByReceipt, type Scene, share, shareUnsent, startWaxseal } from "./rig.ts";

const MiB = 2 ** 20;
const someFiles = [
  file("server.key", 1_704),
  file("Prüfbericht 2026 – endgültig und vom ganzen Haus gelesen.pdf", 28_000),
  file("גיבוי.tar.gz", 21_000),
];

const at = (name: string | RegExp) => (page: Page) =>
  page.getByRole("heading", { name, exact: true }).waitFor();
const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();

/** Refuses none of the browsers here. */
const OWN_NETWORK = { networks: ["127.0.0.0/8", "::1/128", "2001:db8:85a3:8d3:1319:8a2e:370:7348/128"] };

/** The server's answer about a secret that is gone. */
const ended = (state: string) => ({
  status: 410,
  headers: { "Content-Type": "application/problem+json" },
  body: JSON.stringify({ code: "ended", state, endedAt: "2026-01-02T03:04:05Z" }),
});

async function lock(page: Page, link: string): Promise<void> {
  await page.goto(link);
  for (const wrong of ["1", "2"]) {
    await page.getByLabel("Passphrase").fill(wrong);
    await press(page, "Open secret");
    await page.locator("button[aria-busy]").waitFor({ state: "detached" });
  }
  await at("Locked")(page);
}

/** A secret that its sender's browser sent in parts, a moment before it is opened. */
async function openSecretOf(page: Page, url: string, size: number): Promise<void> {
  const sender = await page.context().newPage();
  await sender.goto(`${url}/`);
  await addFiles(sender, [file("photos.zip", size)]);
  const link = await createLink(sender);
  await sender.evaluate(() => localStorage.clear());
  await sender.close();
  await page.goto(link);
  await press(page, "Open secret");
}

async function openAssisted(page: Page, url: string, pasted: string): Promise<void> {
  await page.goto(`${url}/assisted/open`);
  await page.getByLabel("Link or receipt").fill(pasted);
  await press(page, "Open secret");
}

/** A page of an instance that serves half, which needs nothing more once it is shown. */
async function showHalf(page: Page, path: string, env: Readonly<Record<string, string>>): Promise<void> {
  const half = await startWaxseal({ REDIS_URL: "redis://localhost", ...env });
  try {
    await page.goto(`${half.url}${path}`);
  } finally {
    await half.close();
  }
}

/** Every screen and state that a person can come to. */
export const scenes = {
  create: (page, { url }) => page.goto(`${url}/`),
  "create, nothing entered": async (page, { url }) => {
    await page.goto(`${url}/`);
    await press(page, "Create link");
    await at("There is a problem")(page);
  },
  "create, with files": async (page, { url }) => {
    await page.goto(`${url}/`);
    await addFiles(page, someFiles);
    await page.evaluate(() => document.documentElement.toggleAttribute("data-drop", true));
  },
  "create, file too large": async (page, { url }) => {
    await page.goto(`${url}/`);
    await addFiles(page, [file("database dump.sql", 1.5 * MiB)]);
    await at("There is a problem")(page);
  },
  uploading: async (page, { url }) => {
    await page.route("**/api/v1/secret/blob", (route) =>
      route.request().headers()["content-range"]?.startsWith("bytes 0-") ? route.continue() : route.abort(),
    );
    await page.goto(`${url}/`);
    await addFiles(page, [file("photos.zip", MiB - 100)]);
    await page.getByLabel("Secret", { exact: true }).fill("x".repeat(90));
    await press(page, "Create link");
    await page.locator("[data-screen=sending]").getByText("The connection was lost. Trying again…").waitFor();
  },
  "create, with suggestions": async (page, { url }) => {
    await page.goto(`${url}/`);
    await press(page, "Generate a password");
    await page.getByText(/random characters/).waitFor();
    await press(page, "Suggest one");
    await page.getByText(/random words/).waitFor();
    await page.getByLabel("Secret", { exact: true }).fill("my own");
    await press(page, "Generate a password");
    await page.getByText("This would replace what you entered.").first().waitFor();
  },
  ready: async (page, { url }) => {
    await page.goto(`${url}/`);
    await page.getByLabel("Secret", { exact: true }).fill("hunter2");
    await page.getByLabel(/^Passphrase/).fill("correct horse");
    await press(page, "Create link");
    await at("Your link is ready")(page);
    await press(page, "QR");
    await page.locator("#qr svg").waitFor();
    await press(page, "Show");
    await page.getByText("correct horse", { exact: true }).waitFor();
    await page.getByLabel("Remember this link in this browser").check();
    await page.getByText("Remembered.").waitFor();
  },
  ...optionScenes,
  waiting: async (page, { url }) => {
    await page.goto((await share(url)).link);
    await at("Someone sent you a secret")(page);
  },
  "wrong passphrase": async (page, { url }) => {
    await page.goto((await share(url, { passphrase: "correct horse" })).link);
    await page.getByLabel("Passphrase").fill("wrong");
    await press(page, "Open secret");
    await page.getByText("That passphrase is wrong.").waitFor();
  },
  refused: async (page, { url }) => {
    const rules = { networks: ["192.0.2.0/24"] };
    await page.goto((await share(url, { rules })).link);
    await press(page, "Open secret");
    await at("You can't open this from here")(page);
  },
  "refused for now": async (page, { url }) => {
    const rules = { notBefore: new Date(Date.now() + 1_800_000).toISOString() };
    await page.goto((await share(url, { rules })).link);
    await press(page, "Open secret");
    await at("You can't open this now")(page);
  },
  opened: async (page, { url }) => {
    await page.goto((await share(url, { text: `${"a long line ".repeat(30)}\n${"x".repeat(300)}` })).link);
    await press(page, "Open secret");
    await at("Here's your secret")(page);
  },
  downloading: async (page, { url }) => {
    await page.route("**/api/v1/secret/blob", (route) => route.abort());
    await openSecretOf(page, url, 90_000);
    await page
      .locator("[data-screen=downloading]")
      .getByText("The connection was lost. Trying again…")
      .waitFor();
  },
  decrypting: async (page, { url }) => {
    await page.addInitScript(() => {
      const { decrypt } = SubtleCrypto.prototype;
      let left = 1;
      SubtleCrypto.prototype.decrypt = function (...given) {
        return left-- > 0 ? decrypt.apply(this, given) : new Promise(() => undefined);
      };
    });
    await openSecretOf(page, url, 90_000);
    await at(/^Decrypting \d+%$/)(page);
  },
  "opened, with files": async (page, { url }) => {
    const parts = [
      textPart("The keys for the new server. The passphrase is on its way."),
      ...someFiles.map(({ name, buffer }) => filePart(name, buffer)),
      filePart("screenshot.png", pictures["image/png"], "image/png"),
    ];
    await page.goto((await share(url, { parts })).link);
    await press(page, "Open secret");
    await at("Here's your secret")(page);
    await press(page, "Preview screenshot.png");
    await page.getByRole("img", { name: "screenshot.png" }).waitFor();
  },
  "opened, file not saved": async (page, { url }) => {
    await page.route("**/assets/client-zip-*", (route) => route.abort());
    await page.goto(
      (await share(url, { parts: [filePart("a", Buffer.of(1)), filePart("b", Buffer.of(2))] })).link,
    );
    await press(page, "Open secret");
    await press(page, "Save all");
    await page.getByText("The code for zip files couldn't be loaded.").waitFor();
  },
  "already opened": async (page, waxseal) => {
    await scenes.opened?.(page, waxseal);
    await page.reload();
    await at("Already opened")(page);
  },
  expired: async (page, waxseal) => {
    const { link } = await share(waxseal.url, { ttl: 60 });
    waxseal.advance(61);
    await page.goto(link);
    await at("Expired")(page);
  },
  deleted: async (page, { url }) => {
    const shared = await share(url);
    await deleteByReceipt(url, shared);
    await page.goto(shared.link);
    await at("Deleted")(page);
  },
  locked: async (page, { url }) => lock(page, (await share(url, { passphrase: "correct horse" })).link),
  unknown: async (page, { url }) => {
    const { link } = await share(url);
    await page.route("**/api/v1/secret", (route) =>
      route.fulfill({ status: 404, contentType: "application/problem+json", body: '{"code":"not-found"}' }),
    );
    await page.goto(link);
    await at("We can't find this secret")(page);
  },
  incomplete: async (page, { url }) => {
    await page.goto(`${url}/s#abc`);
    await at("Part of this link is missing")(page);
  },
  held: async (page, { url }) => {
    await page.route("**/api/v1/secret/open", (route) => route.abort());
    await page.goto((await share(url)).link);
    await press(page, "Open secret");
    await at("The connection was lost")(page);
  },
  "own link": async (page, { url }) => {
    await page.goto(`${url}/`);
    await page.getByLabel("Secret", { exact: true }).fill("hunter2");
    await press(page, "Create link");
    await at("Your link is ready")(page);
    await page.goto(await page.locator("#link").inputValue());
    await at("You made this secret.")(page);
  },
  "receipt, sealed": async (page, { url }) => {
    await page.goto((await share(url)).receipt);
    await at("Sealed")(page);
  },
  "receipt, being sent": async (page, { url }) => {
    await page.goto((await shareUnsent(url)).receipt);
    await at("Being sent")(page);
  },
  "receipt, expired": async (page, waxseal) => {
    const { receipt } = await share(waxseal.url, { ttl: 60 });
    waxseal.advance(61);
    await page.goto(receipt);
    await at("Expired unopened")(page);
  },
  "receipt, locked": async (page, { url }) => {
    const { link, receipt } = await share(url, { passphrase: "correct horse" });
    await lock(page, link);
    await page.goto(receipt);
    await at("Locked")(page);
    await page.getByRole("button", { name: "Unlock" }).waitFor();
  },
  "receipt, unknown": async (page, { url }) => {
    const { receipt } = await share(url);
    await page.goto(receipt.replace(/#.{8}/, "#AAAAAAAA"));
    await at("We can't find this secret")(page);
  },
  "receipt, no answer": async (page, { url }) => {
    await page.route("**/api/v1/receipt", (route) => route.abort());
    await page.goto((await share(url)).receipt);
    await at("We can't tell right now")(page);
  },
  "receipt, no answer any more": async (page, { url }) => {
    // A stream that came about a moment later would take back what is said here.
    await page.route("**/api/v1/receipt/events", (route) => route.abort());
    await page.goto((await share(url)).receipt);
    await at("Sealed")(page);
    await page.route("**/api/v1/receipt", (route) => route.abort());
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await page.getByText("What is shown here may be out of date.").waitFor();
  },
  "link, no answer": async (page, { url }) => {
    await page.route("**/api/v1/secret", (route) => route.abort());
    await page.goto((await share(url)).link);
    await at("Nothing was opened")(page);
  },
  lost: async (page, { url }) => {
    await page.route("**/api/v1/secret", (route) => route.fulfill(ended("lost")));
    await page.goto((await share(url)).link);
    await at("Lost")(page);
  },
  unreadable: async (page, { url }) => {
    const anotherShare = { json: { share: "A".repeat(43) } };
    await page.route("**/api/v1/secret/open", (route) => route.fulfill(anotherShare));
    await page.goto((await share(url)).link);
    await press(page, "Open secret");
    await at("This secret can't be read")(page);
  },
  "nothing left to delete": async (page, waxseal) => {
    await page.goto(`${waxseal.url}/`);
    await page.getByLabel("Secret", { exact: true }).fill("hunter2");
    await press(page, "Create link");
    await at("Your link is ready")(page);
    await page.route("**/api/v1/receipt/secret", (route) => route.fulfill(ended("opened")));
    await press(page, "Delete now");
    await at("There is nothing left to delete")(page);
  },
  "my links": async (page, waxseal) => {
    const { url } = waxseal;
    const [over, deleted, locked] = await Promise.all([
      share(url, { ttl: 60 }),
      share(url),
      share(url, { passphrase: "correct horse" }),
    ]);
    await deleteByReceipt(url, deleted);
    await lock(page, locked.link);
    waxseal.advance(61);
    const opened = await share(url);
    await page.goto(opened.link);
    await press(page, "Open secret");
    await at("Here's your secret")(page);
    const { receiptFragment } = opened;
    await page.evaluate(putLinks, [
      { ...(await share(url)), label: "Root password of the new mail server, for Ann" },
      { ...opened, label: "VPN" },
      { ...over, label: "סיסמה לדוד" },
      { ...deleted, label: "" },
      { ...locked, label: "w".repeat(100) },
      { receiptFragment: receiptFragment.replace(/^.{4}/, "AAAA"), label: "From last year" },
    ]);
    await page.route("**/api/v1/receipt/secret", (route) => route.abort());
    await page.goto(`${url}/links`);
    await page.getByText(/^Looked at/).waitFor();
    await page.getByRole("button", { name: "Delete now" }).first().click();
    await page.getByText("We can't tell whether it was deleted.").waitFor();
  },
  "my links, none": async (page, { url }) => {
    await page.goto(`${url}/links`);
    await page.getByText("None is remembered here.").waitFor();
  },
  "my links, all forgotten": async (page, waxseal) => {
    await scenes["my links"](page, waxseal);
    await press(page, "Forget all");
    await page.getByText("6 links are forgotten.").waitFor();
  },
  "my links, no storage": async (page, { url }) => {
    await page.addInitScript(() => {
      Storage.prototype.setItem = () => {
        throw new DOMException("Too much", "QuotaExceededError");
      };
    });
    await page.goto(`${url}/links`);
    await page.getByText("This browser keeps nothing for this page").waitFor();
  },
  "my links, no answer": async (page, { url }) => {
    const secret = await share(url);
    await page.route("**/api/v1/receipt", (route) => route.abort());
    await page.goto(`${url}/robots.txt`);
    await page.evaluate(putLinks, [{ ...secret, label: "Root password" }]);
    await page.goto(`${url}/links`);
    await page.getByText("The server can't be reached. Nothing was changed.").waitFor();
  },
  "plain http": async (page, { url }) => {
    await page.goto(url.replace("localhost", "waxseal.test"));
    await at("This page needs https")(page);
  },
  "script missing": async (page, { url }) => {
    await page.route("**/assets/create-*.js", (route) => route.abort());
    await page.goto(`${url}/`);
    await page.getByText("The encryption script didn't load.").waitFor();
  },
  "opens here": async (page) => {
    await showHalf(page, "/", { ROLE: "open" });
    await at("Secrets are opened here")(page);
  },
  "opens elsewhere": async (page) => {
    const LINK_URL = "https://geheimnisse-oeffnen.unternehmensgruppe.example";
    await showHalf(page, "/s#AAAA", { ROLE: "create", LINK_URL });
    await at("Secrets are created here")(page);
  },
  "not found": async (page, { url }) => page.goto(`${url}/nothing-here`),
  "assisted, create": (page, { url }) => page.goto(`${url}/assisted`),
  "assisted, ready": async (page, { url }) => {
    await page.goto(`${url}/assisted`);
    await page.getByLabel("Secret", { exact: true }).fill("hunter2");
    await press(page, "Create link");
    await at("Your link is ready")(page);
  },
  "assisted, open": (page, { url }) => page.goto(`${url}/assisted/open`),
  "assisted, part of the link": async (page, { url }) => {
    await openAssisted(page, url, "half a link");
    await at("There is a problem")(page);
  },
  "assisted, opened": async (page, { url }) => {
    await openAssisted(page, url, (await share(url)).link);
    await at("Here's your secret")(page);
  },
  "assisted, ready with rules": async (page, { url }) => {
    await page.goto(`${url}/assisted`);
    await page.getByLabel("Secret", { exact: true }).fill("hunter2");
    await page.getByText("Who may open").click();
    await page.getByLabel(/^Only from/).fill("10.0.0.0/8 2001:db8:85a3:8d3:1319:8a2e:370:7348/128");
    await press(page, "Create link");
    await at("Your link is ready")(page);
  },
  "assisted, rules that are wrong": async (page, { url }) => {
    await page.goto(`${url}/assisted`);
    await page.getByLabel("Secret", { exact: true }).fill("hunter2");
    await page.getByText("Who may open").click();
    await page
      .getByLabel(/^Only in these countries/)
      .fill("South Georgia & South Sandwich Islands, Atlantis");
    await page.getByLabel("Only in these office hours").check();
    await page.getByLabel("Time zone").selectOption("America/Argentina/Rio_Gallegos");
    await press(page, "Create link");
    await at("There is a problem")(page);
  },
  "assisted, receipt": async (page, { url }) => {
    await openAssisted(page, url, (await share(url)).receipt);
    await at("Sealed")(page);
  },
  "assisted, locked receipt": async (page, { url }) => {
    const { link, receipt } = await share(url, { passphrase: "rosebud", rules: OWN_NETWORK });
    await lock(page, link);
    await openAssisted(page, url, receipt);
    await at("Locked")(page);
  },
  "assisted, unlocked": async (page, waxseal) => {
    await scenes["assisted, locked receipt"](page, waxseal);
    await press(page, "Unlock");
    await at("Sealed")(page);
  },
  "assisted, deleted": async (page, waxseal) => {
    await scenes["assisted, receipt"](page, waxseal);
    await press(page, "Delete now");
    await at("Deleted")(page);
  },
  "assisted, not deleted": async (page, waxseal) => {
    await scenes["assisted, receipt"](page, waxseal);
    await page.context().clearCookies();
    await press(page, "Delete now");
    await at("There is a problem")(page);
  },
} satisfies Readonly<Record<string, Scene>>;
