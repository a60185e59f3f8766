/**
 * `npm run bench:transfer`: how fast a browser encrypts and uploads, downloads and decrypts, beside a plain
 * upload and download of the same bytes through the same server, and then once more over a line that
 * breaks twenty times each way. MiB: the first argument, or 100.
 */
import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { filePart } from "../e2e/file-people.ts";
import { deriveLinkKeys } from "../envelope/keys.ts";
import { parseFragment } from "../envelope/link.ts";
import { prepareSecret } from "../envelope/sender.ts";
import { cheapHash } from "../envelope/testing.ts";
import { formatLinkBearer, formatReceiptBearer } from "../envelope/tokens.ts";
import { launchChromium } from "../testing/chromium.ts";
import { startCuttingProxy } from "../testing/cutting-proxy.ts";
import { startServer } from "../testing/server-process.ts";
import { type BarePage, openBarePage } from "./bare-page.ts";

const MiB = 2 ** 20;
const mebibytes = Number(process.argv[2] ?? 100);
const ROUNDS = 3;
const CUTS = 20;

const shown = (screen: string) => `new Promise((done) => {
  const look = () => document.querySelector("[data-screen='${screen}']").hidden ? setTimeout(look, 5) : done();
  look();
})`;

async function timed(what: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await what();
  return (performance.now() - began) / 1000;
}

const folder = await mkdtemp(join(tmpdir(), "waxseal-bench-"));
const server = await startServer({
  MAX_SECRET_BYTES: "2GiB",
  STORE_BUDGET: "8GiB",
  UPLOADS_MAX_BYTES: "8GiB",
});
const url = server.url.replace("127.0.0.1", "localhost");
const browser = await launchChromium();
const path = join(folder, "data.bin");
const sealedPath = join(folder, "sealed.bin");

/** Another client has sealed it; the page sends the finished bytes in one request. */
async function plainUpload(page: BarePage, bytes: Uint8Array) {
  const prepared = await prepareSecret([filePart("data.bin", bytes)], "", cheapHash);
  const { fields } = prepared;
  await pipeline(prepared.sealing.pieces, createWriteStream(sealedPath));
  const created = await fetch(`${url}/api/v1/secrets`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...fields, ttl: 3600 }),
  });
  if (created.status !== 201) throw new Error(await created.text());
  await page.evaluate(
    "document.body.append(Object.assign(document.createElement('input'), { type: 'file', id: 'plain' }))",
  );
  await page.chooseFile("#plain", sealedPath);
  const headers = {
    Authorization: `Bearer ${formatReceiptBearer(fields.id, prepared.receiptToken)}`,
    "Content-Type": "application/octet-stream",
    "Content-Range": `bytes 0-${fields.size - 1}/${fields.size}`,
  };
  const seconds = await timed(() =>
    page.evaluate(
      `fetch("/api/v1/secret/blob", { method: "PUT", headers: ${JSON.stringify(headers)}, body: document.querySelector("#plain").files[0] }).then((r) => r.text())`,
    ),
  );
  await page.evaluate("document.querySelector('#plain').remove()");
  const keys = await deriveLinkKeys(await parseFragment(prepared.linkFragment));
  return { seconds, bearer: formatLinkBearer(keys.id, keys.linkProof) };
}

async function addFile(page: BarePage): Promise<void> {
  await page.chooseFile("#file-input", path);
  await page.evaluate(
    "new Promise((done) => { const look = () => document.querySelector('#files li') ? done() : setTimeout(look, 5); look(); })",
  );
}

/** Seconds from the press to the link. */
const upload = (page: BarePage) =>
  timed(async () => {
    await page.pressEnter("#create");
    await page.evaluate(shown("ready"));
  });

/** Seconds from the press to the secret, all of it decrypted and authenticated. */
const open = (page: BarePage) =>
  timed(async () => {
    await page.pressEnter("#open-button");
    await page.evaluate(shown("opened"));
  });

const rate = (seconds: number) => `${(mebibytes / seconds).toFixed(1)} MiB/s`;

async function overBadLine<T>(use: (url: string) => Promise<T>): Promise<T> {
  // Two less than the length, so that the last cut comes before the end.
  const every = (mebibytes * MiB) / (CUTS + 2);
  const line = await startCuttingProxy(server.port, { every, times: CUTS });
  try {
    const result = await use(`http://localhost:${line.port}`);
    if (line.cuts() !== CUTS) throw new Error(`The line broke ${line.cuts()} times.`);
    return result;
  } finally {
    await line.close();
  }
}

async function measureBadLine(): Promise<void> {
  const { link, up } = await overBadLine(async (bad) => {
    const sender = await openBarePage(browser, `${bad}/`);
    await addFile(sender);
    const seconds = await upload(sender);
    return { up: seconds, link: await sender.evaluate<string>("document.querySelector('#link').value") };
  });
  const down = await overBadLine(async (bad) => {
    const recipient = await openBarePage(browser, `${bad}/s#${link.split("#")[1]}`);
    await recipient.evaluate(shown("waiting"));
    const seconds = await open(recipient);
    const text = await recipient.evaluate<string>("document.querySelector('[data-screen=opened]').innerText");
    if (!text.includes("data.bin")) throw new Error(`Opened, but without the file: ${text}`);
    return seconds;
  });
  process.stdout.write(
    `over a line that broke ${CUTS} times on the way up and ${CUTS} times on the way down: up ${rate(up)}, down ${rate(down)}; all of it was there and authentic\n`,
  );
}

try {
  await writeFile(path, randomBytes(mebibytes * MiB));
  const bytes = new Uint8Array(await readFile(path));
  for (let round = 1; round <= ROUNDS; round++) {
    const sender = await openBarePage(browser, `${url}/`);
    const plain = await plainUpload(sender, bytes);
    await addFile(sender);
    const up = await upload(sender);
    const link = await sender.evaluate<string>("document.querySelector('#link').value");
    const recipient = await openBarePage(browser, link);
    await recipient.evaluate(shown("waiting"));
    const plainDown = await timed(() =>
      recipient.evaluate(
        `fetch("/api/v1/secret/blob", { headers: { Authorization: "Bearer ${plain.bearer}" } }).then((r) => r.blob()).then((b) => b.size)`,
      ),
    );
    const down = await open(recipient);
    process.stdout.write(
      `round ${round}: encrypt and upload ${rate(up)}, plain ${rate(plain.seconds)} (${(up / plain.seconds).toFixed(2)} times as long); ` +
        `download and decrypt ${rate(down)}, plain ${rate(plainDown)} (${(down / plainDown).toFixed(2)} times as long)\n`,
    );
  }
  await measureBadLine();
} finally {
  await browser.close();
  await server.stop();
  await rm(folder, { recursive: true });
}
