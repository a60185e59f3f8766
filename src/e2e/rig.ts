/** A whole Waxseal behind a real port with a clock of the test's own, and people who use it. */
import { once } from "node:events";
import type { Locator, Page } from "playwright-core";
import { argon2id } from "../envelope/argon2id.ts";
import type { PassphraseHash } from "../envelope/keys.ts";
import { ask } from "../testing/every-flow.ts";
import { freePort } from "../testing/free-port.ts";
import { type SealedSecret, type SealOptions, sealSecret } from "../testing/sealed-secret.ts";
import { createTestApp } from "../testing/test-app.ts";
import { createHttpServer } from "../web/http-server.ts";

export interface Waxseal {
  /** Without a trailing slash. */
  readonly url: string;
  /** Moves the store's clock. */
  advance(seconds: number): void;
  close(): Promise<void>;
}

/** How to get to a screen, or a state of one. */
export type Scene = (page: Page, waxseal: Waxseal) => Promise<unknown>;

const GENEROUS = { RATE_LIMIT_CREATE: "10000/1m", RATE_LIMIT_OPEN: "10000/1m", RATE_LIMIT_MISS: "10000/1m" };

/** The real cost, so that it agrees with the page's worker; in this thread, since only the build has one. */
const stretch: PassphraseHash = async (passphrase, salt) => argon2id(passphrase, salt);

/** `name` is the host name that people use; it must lead to 127.0.0.1. */
export async function startWaxseal(
  env: Readonly<Record<string, string>> = {},
  name = "localhost",
): Promise<Waxseal> {
  const port = await freePort();
  const url = `http://${name}:${port}`;
  const app = createTestApp({
    env: { ...GENEROUS, PORT: String(port), PUBLIC_URL: url, ...env },
    clock: Date.now,
    hashPassphrase: stretch,
  });
  const server = createHttpServer(app.handler, () => false).listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    url: env.PUBLIC_URL ?? url,
    advance: app.advance,
    async close() {
      server.closeAllConnections();
      server.close();
      await app.store.close();
    },
  };
}

/** A secret that somebody made with another client, and where its two pages are. */
export interface SharedSecret extends Omit<SealedSecret, "link" | "receipt"> {
  readonly link: string;
  readonly receipt: string;
}

export async function share(url: string, options: SealOptions = {}): Promise<SharedSecret> {
  const sealed = await sealSecret({ text: "hunter2", hash: stretch, ...options });
  return announce(url, sealed, sealed.body);
}

/** The same without a byte of its blob, as a sender does whose files are to follow. */
export async function shareUnsent(url: string, options: SealOptions = {}): Promise<SharedSecret> {
  const sealed = await sealSecret({ text: "hunter2", hash: stretch, ...options });
  const { blob, ...body } = sealed.body;
  return announce(url, sealed, body);
}

async function announce(url: string, sealed: SealedSecret, body: object): Promise<SharedSecret> {
  const response = await ask(`${url}/api/v1/secrets`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (response.status !== 201) throw new Error(`create: ${response.status} ${await response.text()}`);
  return {
    ...sealed,
    link: `${url}/s#${sealed.linkFragment}`,
    receipt: `${url}/r#${sealed.receiptFragment}`,
  };
}

function asSender({ receiptFragment }: SharedSecret): Record<string, string> {
  return { Authorization: `Bearer wsr_${receiptFragment}` };
}

/** What the sender's receipt says by now. */
export async function stateOf(url: string, secret: SharedSecret): Promise<string> {
  const response = await fetch(`${url}/api/v1/receipt`, { headers: asSender(secret) });
  const { state } = (await response.json()) as { state: string };
  return state;
}

export async function deleteByReceipt(url: string, secret: SharedSecret): Promise<void> {
  await fetch(`${url}/api/v1/receipt/secret`, { method: "DELETE", headers: asSender(secret) });
}

/** "More options", with their code begun: what is pressed there before does nothing. */
export async function openOptions(page: Page): Promise<void> {
  await page.getByText("More options", { exact: true }).click();
  await page.locator("#hours-zone option").first().waitFor({ state: "attached" });
}

/** Presses it while the page's clock stands still, so that "Copied", which it says for two seconds, stays to be seen. */
export async function copyBy(page: Page, button: Locator, copied: Locator): Promise<void> {
  await page.clock.install();
  await page.clock.pauseAt(Date.now() + 60_000); // a machine may be busy for a while before it stops
  await button.click();
  await copied.waitFor();
  await page.clock.resume();
}

/** What is on the clipboard: pasted into a field, because our own pages may not read it. */
export async function clipboardOf(page: Page, url: string): Promise<string> {
  const other = await page.context().newPage();
  await other.goto(`${url}/`);
  const field = other.getByLabel("Secret", { exact: true });
  await field.focus();
  await other.keyboard.press("Control+V");
  const pasted = await field.inputValue();
  await other.close();
  return pasted;
}
