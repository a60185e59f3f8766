/** A whole Waxseal behind a real port with a clock of the test's own, and people who use it. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { pino } from "pino";
import type { Page } from "playwright-core";
import { parseConfig } from "../config/parse-config.ts";
import { argon2id } from "../envelope/argon2id.ts";
import { encodeBase64url } from "../envelope/base64url.ts";
import type { PassphraseHash } from "../envelope/keys.ts";
import { textPart } from "../envelope/parts.ts";
import { gather } from "../envelope/seal.ts";
import { type PreparedSecret, prepareSecret } from "../envelope/sender.ts";
import { createMemoryStore } from "../store/memory.ts";
import type { Store } from "../store/store.ts";
import { freePort } from "../testing/free-port.ts";
import { createApp } from "../web/app.ts";
import { loadAssets } from "../web/assets.ts";
import { createHttpServer } from "../web/http-server.ts";
import { createMetrics } from "../web/metrics.ts";
import { createRenderer } from "../web/views.ts";

export interface Waxseal {
  /** Without a trailing slash. */
  readonly url: string;
  readonly store: Store;
  /** Moves the store's clock. */
  advance(seconds: number): void;
  close(): Promise<void>;
}

const generous = { RATE_LIMIT_CREATE: "10000/1m", RATE_LIMIT_OPEN: "10000/1m", RATE_LIMIT_MISS: "10000/1m" };
/** Without the worker thread, which only the build has; `src/web/argon2id-pool.test.ts` is about that. */
const stretchHere: PassphraseHash = async (passphrase, salt) => argon2id(passphrase, salt);
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** `name` is the host name that people use; it must lead to 127.0.0.1. */
export async function startWaxseal(env: Record<string, string> = {}, name = "localhost"): Promise<Waxseal> {
  const port = await freePort();
  const publicUrl = `http://${name}:${port}${env.BASE_PATH ?? ""}`;
  const { BASE_PATH: _, ...settings } = env;
  const config = parseConfig(
    { ...generous, PORT: String(port), PUBLIC_URL: publicUrl, ...settings },
    () => "",
  );
  let ahead = 0;
  const clock = () => Date.now() + ahead;
  const store = createMemoryStore({ limits: config, maxBytes: config.embeddedMaxBytes, clock });
  const app = createApp({
    config,
    store,
    limitStore: () => undefined,
    clock,
    log: pino({ level: "silent" }),
    metrics: createMetrics(store),
    assets: loadAssets(here("../../dist/assets")),
    render: createRenderer(here("../../views")),
    hashPassphrase: stretchHere,
    isDraining: () => false,
  });
  const server = createHttpServer(app, () => false).listen(port, "127.0.0.1");
  await once(server, "listening");
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: publicUrl.replace(String(port), String(bound)),
    store,
    advance(seconds) {
      ahead += seconds * 1000;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await store.close();
    },
  };
}

/** A secret that somebody made with another client: the link, the receipt, and all its parts. */
export interface SharedSecret {
  readonly link: string;
  readonly receipt: string;
  readonly prepared: PreparedSecret;
}

export async function share(
  url: string,
  { text = "hunter2", passphrase = "", ttl = 3600 } = {},
): Promise<SharedSecret> {
  const prepared = await prepareSecret([textPart(text)], passphrase, stretchHere);
  const blob = encodeBase64url(await gather(prepared.sealing));
  const response = await fetch(`${url}/api/v1/secrets`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...prepared.fields, ttl, blob }),
  });
  if (response.status !== 201) throw new Error(`create: ${response.status} ${await response.text()}`);
  return {
    link: `${url}/s#${prepared.linkFragment}`,
    receipt: `${url}/r#${prepared.receiptFragment}`,
    prepared,
  };
}

/** What the sender's receipt says by now. */
export async function stateOf(url: string, { prepared }: SharedSecret): Promise<string> {
  const headers = { Authorization: `Bearer wsr_${prepared.receiptFragment}` };
  const response = await fetch(`${url}/api/v1/receipt`, { headers });
  const { state } = (await response.json()) as { state: string };
  return state;
}

export async function deleteByReceipt(url: string, { prepared }: SharedSecret): Promise<void> {
  const headers = { Authorization: `Bearer wsr_${prepared.receiptFragment}` };
  await fetch(`${url}/api/v1/receipt/secret`, { method: "DELETE", headers });
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
