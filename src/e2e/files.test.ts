import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Browser, Page, Request } from "playwright-core";
import { launchChromium } from "../testing/chromium.ts";
import {
  addFiles,
  createLink,
  file,
  openLink,
  type SentFile,
  saved,
  sha256,
  withoutPicker,
} from "./file-people.ts";
import { startWaxseal, type Waxseal } from "./rig.ts";
import { unzip } from "./unzip.ts";

const MiB = 2 ** 20;

describe("files from one browser to another", () => {
  let waxseal: Waxseal;
  let browser: Browser;
  let sender: Page;
  let recipient: Page;
  let requests: Request[] = [];

  before(async () => {
    waxseal = await startWaxseal({ MAX_SECRET_BYTES: "30MiB", MAX_FILES: "200" });
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    await waxseal?.close();
  });
  beforeEach(async () => {
    for (const context of browser.contexts()) await context.close();
    sender = await (await browser.newContext()).newPage();
    recipient = await (await browser.newContext()).newPage();
    await withoutPicker(recipient);
    requests = [];
    sender.on("request", (request) => requests.push(request));
    await sender.goto(`${waxseal.url}/`);
  });

  const sent = (method: string) => requests.filter((request) => request.method() === method);

  async function assertArrives(files: readonly SentFile[]): Promise<void> {
    await addFiles(sender, files);
    await openLink(recipient, await createLink(sender));
    for (const { name, buffer } of files) {
      const arrived = await saved(recipient, `Save ${name}`);
      // Chromium itself saves no zero-width joiner.
      assert.equal(arrived.name, name.replaceAll("\u200d", "_"));
      assert.equal(arrived.bytes.length, buffer.length, name);
      assert.equal(sha256(arrived.bytes), sha256(buffer), name);
    }
  }

  for (const size of [0, 1, 65_535, 65_536, 65_537, MiB, 5 * MiB + 13]) {
    it(`arrive byte for byte: one of ${size} bytes`, async () => {
      await assertArrives([file("data.bin", size)]);
    });
  }

  it("arrive together, whatever script their names are in", async () => {
    await assertArrives([
      file("notes.txt", 3_000),
      file("Übergröße – Café.pdf", 70_000, "application/pdf"),
      file("密码本.zip", 200_000, "application/zip"),
      file("пароли.env", 0),
      file("سر.dat", 1),
      file("סוד.bin", 65_536),
      file("👩‍👩‍👧 family.key", 12),
    ]);
  });

  it("arrive with a text and a passphrase, the text shown first", async () => {
    await sender.getByLabel("Secret", { exact: true }).fill("the password of the file");
    await sender.getByLabel(/^Passphrase/).fill("correct horse");
    const key = file("server.key", 200_000);
    await addFiles(sender, [key]);
    const link = await createLink(sender);
    await recipient.goto(link);
    await recipient.getByLabel("Passphrase").fill("correct horse");
    await recipient.getByRole("button", { name: "Open secret" }).click();
    await recipient.getByRole("heading", { name: "Here's your secret" }).waitFor();
    assert.equal(await recipient.locator("#parts .secret").textContent(), "the password of the file");
    assert.equal(sha256((await saved(recipient, "Save server.key")).bytes), sha256(key.buffer));
    assert.ok(await recipient.getByRole("button", { name: "Save all" }).isHidden());
  });

  it("arrive two hundred at a time, one by one and as a zip", async () => {
    const files = Array.from({ length: 200 }, (_, i) => file(`file ${i}.bin`, i * 37));
    await addFiles(sender, files);
    await openLink(recipient, await createLink(sender));
    assert.equal(await recipient.locator("#files li").count(), 200);
    const last = await saved(recipient, "Save file 199.bin");
    assert.equal(sha256(last.bytes), sha256(files[199]?.buffer ?? Buffer.alloc(0)));
    const zip = await saved(recipient, "Save all");
    assert.equal(zip.name, "secret.zip");
    const entries = unzip(zip.bytes);
    assert.deepEqual(
      [...entries.keys()],
      files.map(({ name }) => name),
    );
    for (const { name, buffer } of files) assert.ok(entries.get(name)?.equals(buffer), name);
  });

  it("can be saved again and again", async () => {
    const data = file("data.bin", 300_000);
    await addFiles(sender, [data]);
    await openLink(recipient, await createLink(sender));
    for (let turn = 0; turn < 2; turn++) {
      assert.equal(sha256((await saved(recipient, "Save data.bin")).bytes), sha256(data.buffer));
    }
  });

  it("take one request and no worker while they are small", async () => {
    await addFiles(sender, [file("small.txt", 2_000)]);
    await createLink(sender);
    assert.equal(sent("POST").length, 1);
    assert.equal(sent("PUT").length, 0);
    assert.ok(!requests.some((request) => request.url().includes("worker")));
  });

  it("leave the text alone to go as it always has: one request, and no code for files", async () => {
    await sender.getByLabel("Secret", { exact: true }).fill("hunter2");
    // The browser fetches the page's icon when it likes.
    const icon = await sender.locator("link[rel=icon]").getAttribute("href");
    requests.length = 0;
    await createLink(sender);
    assert.deepEqual(
      requests
        .map((request) => `${request.method()} ${new URL(request.url()).pathname}`)
        .filter((request) => request !== `GET ${icon}`),
      ["POST /api/v1/secrets"],
    );
  });

  it("never show the server a name or a byte of theirs", async () => {
    const secret = {
      name: "salaries.csv",
      mimeType: "text/csv",
      buffer: Buffer.from("name;salary\n".repeat(20_000)),
    };
    await addFiles(sender, [secret]);
    const link = await createLink(sender);
    assert.ok(sent("PUT").length > 0);
    const key = link.split("#")[1] ?? "";
    for (const request of requests) {
      const body = request.postDataBuffer() ?? Buffer.alloc(0);
      const seen = Buffer.concat([Buffer.from(request.url() + JSON.stringify(request.headers())), body]);
      for (const word of ["salaries", "name;salary", "text/csv", key]) assert.ok(!seen.includes(word), word);
    }
  });

  it("let a text that is too long for one request arrive whole", async () => {
    const text = "0123456789abcdef\n".repeat(20_000);
    await sender.evaluate((value) => {
      (document.getElementById("secret") as HTMLTextAreaElement).value = value;
    }, text);
    await openLink(recipient, await createLink(sender));
    assert.ok((await recipient.locator("#parts .secret").textContent()) === text);
  });
});
