import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Browser, Page, Request } from "playwright-core";
import { type Part, textPart } from "../envelope/parts.ts";
import { launchChromium } from "../testing/chromium.ts";
import {
  addFiles,
  createLink,
  file,
  heading,
  openLink,
  filePart as part,
  saved,
  sha256,
  withoutPicker,
} from "./file-people.ts";
import { pictures } from "./pictures.ts";
import { share, startWaxseal, type Waxseal } from "./rig.ts";
import { unzip } from "./unzip.ts";

const some = (text: string) => new TextEncoder().encode(text);

describe("files that were opened", () => {
  let waxseal: Waxseal;
  let browser: Browser;
  let page: Page;
  let requests: Request[] = [];

  before(async () => {
    waxseal = await startWaxseal();
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    await waxseal?.close();
  });
  beforeEach(async () => {
    for (const context of browser.contexts()) await context.close();
    page = await (await browser.newContext()).newPage();
    requests = [];
    page.on("request", (request) => requests.push(request));
  });

  const button = (name: string) => page.getByRole("button", { name, exact: true });
  const names = () => page.locator("#files bdi").allTextContents();

  async function open(parts: readonly Part[]): Promise<void> {
    await openLink(page, (await share(waxseal.url, { parts })).link);
  }

  it("are listed below the text, with their sizes", async () => {
    await open([textPart("the password"), part("a.key", new Uint8Array(2048)), part(undefined, some("x"))]);
    assert.equal(await page.locator("#parts .secret").textContent(), "the password");
    assert.deepEqual(await page.locator("#files li").allTextContents(), ["a.key2 KBSave", "file1 byteSave"]);
    assert.ok(await button("Save all").isVisible());
  });

  it("offer nothing to copy where there is no text", async () => {
    await open([part("a.key", some("x"))]);
    for (const name of ["Copy", "Save as file", "Hide", "Save all"])
      assert.ok(await button(name).isHidden(), name);
  });

  it("are shown and saved under names that can do no harm, distinct in the zip", async () => {
    await withoutPicker(page);
    const hostile = [
      "../../.ssh/id_rsa",
      "ann\u202etxt.exe",
      "CON",
      "a.txt",
      "A.TXT",
      "<img src=x onerror=alert(1)>.png",
    ];
    await open(hostile.map((name) => part(name, some(name))));
    const safe = ["id_rsa", "anntxt.exe", "_CON", "a.txt", "A (2).TXT", "_img src=x onerror=alert(1)_.png"];
    assert.deepEqual(await names(), safe);
    assert.equal(await page.locator("#files img").count(), 0);
    const first = await saved(page, "Save id_rsa");
    assert.equal(first.name, "id_rsa");
    assert.equal(first.bytes.toString(), "../../.ssh/id_rsa");
    const entries = unzip((await saved(page, "Save all")).bytes);
    assert.deepEqual([...entries.keys()], safe);
    assert.deepEqual([...entries.values()].map(String), hostile);
  });

  it("are saved as plain bytes, whatever type they claim", async () => {
    await withoutPicker(page);
    await page.addInitScript(() => {
      const types: string[] = [];
      const { createObjectURL } = URL;
      URL.createObjectURL = (blob: Blob) => {
        types.push(blob.type);
        return createObjectURL.call(URL, blob);
      };
      Object.assign(window, { types });
    });
    await open([part("page.html", some("<script>alert(1)</script>"), "text/html")]);
    await saved(page, "Save page.html");
    assert.deepEqual(await page.evaluate(() => (window as unknown as { types: string[] }).types), [
      "application/octet-stream",
    ]);
  });

  for (const [type, bytes] of Object.entries(pictures)) {
    it(`are previewed when asked to, where bytes and type agree: ${type}`, async () => {
      const name = `picture.${type.slice("image/".length)}`;
      await open([part(name, bytes, type)]);
      assert.ok(await page.getByRole("img", { name }).isHidden());
      await button(`Preview ${name}`).click();
      await page.getByRole("img", { name }).waitFor();
      const width = await page
        .getByRole("img", { name })
        .evaluate((image) => (image as HTMLImageElement).naturalWidth);
      assert.ok(width > 0);
      assert.equal(await button(`Preview ${name}`).getAttribute("aria-expanded"), "true");
      await button(`Preview ${name}`).click();
      await page.getByRole("img", { name }).waitFor({ state: "hidden" });
    });
  }

  it("are never previewed as SVG, as HTML, or as a picture that they are not", async () => {
    const png = pictures["image/png"];
    const svg = some('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
    await open([
      part("drawing.svg", svg, "image/svg+xml"),
      part("drawing.png", svg, "image/png"),
      part("page.png", some("<!doctype html>"), "image/png"),
      part("tool.exe", png, "application/octet-stream"),
      part("photo.jpg", png, "image/jpeg"),
      part("photo.html", png),
    ]);
    assert.equal(await page.getByRole("button", { name: /^Preview/ }).count(), 0);
  });

  it("say so where a picture can't be shown, and can still be saved", async () => {
    await withoutPicker(page);
    const broken = pictures["image/png"].slice(0, 40);
    await open([part("broken.png", broken, "image/png")]);
    await button("Preview broken.png").click();
    await page.getByText("This picture can't be shown. Save it instead.").waitFor();
    assert.deepEqual(new Uint8Array((await saved(page, "Save broken.png")).bytes), broken);
  });

  it("load the code for zip files only when it is asked for, and say so where it doesn't come", async () => {
    await withoutPicker(page);
    await page.route("**/assets/client-zip-*", (route) => route.abort());
    await open([part("a", some("a")), part("b", some("b"))]);
    assert.ok(!requests.some((request) => request.url().includes("/client-zip-")));
    await button("Save all").click();
    await page.getByText("The code for zip files couldn't be loaded. Save the files one by one.").waitFor();
    assert.equal((await saved(page, "Save b")).bytes.toString(), "b");
  });

  it("are gone from the page when it is left", async () => {
    await open([part("a.png", pictures["image/png"], "image/png"), part("b", some("b"))]);
    await button("Preview a.png").click();
    await page.getByRole("img", { name: "a.png" }).waitFor();
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true })));
    assert.equal(await page.locator("#files").textContent(), "");
  });

  /** The window for choosing a place opens in no headless browser; the file that it would give is a real one. */
  async function withPicker(answer: "file" | "cancel" | "forbidden"): Promise<void> {
    await page.addInitScript((answer) => {
      Object.assign(window, {
        async showSaveFilePicker({ suggestedName }: { suggestedName: string }) {
          if (!navigator.userActivation.isActive) throw new DOMException("No gesture", "SecurityError");
          if (answer === "cancel") throw new DOMException("The person said no", "AbortError");
          if (answer === "forbidden") throw new DOMException("Policy", "NotAllowedError");
          return (await navigator.storage.getDirectory()).getFileHandle(suggestedName, { create: true });
        },
      });
    }, answer);
  }

  const chosenFile = (name: string) =>
    page.evaluate(async (name) => {
      const handle = await (await navigator.storage.getDirectory()).getFileHandle(name);
      const digest = await crypto.subtle.digest("SHA-256", await (await handle.getFile()).arrayBuffer());
      return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    }, name);

  it("go straight into the file that the person chooses, where the browser can do that", async () => {
    await withPicker("file");
    const sender = await (await browser.newContext()).newPage();
    await sender.goto(`${waxseal.url}/`);
    const big = file("big.bin", 3 * 2 ** 20 + 5);
    await addFiles(sender, [big, file("small.bin", 10)]);
    await openLink(page, await createLink(sender));
    await button("Save big.bin").click();
    await page.locator("#status", { hasText: "big.bin saved" }).waitFor({ state: "attached" });
    assert.equal(await button("Saved big.bin").textContent(), "Saved");
    assert.equal(await chosenFile("big.bin"), sha256(big.buffer));
    // A gesture lasts five seconds, in which a slow machine may not have loaded the code for zip files.
    const assets = readdirSync(new URL("../../dist/assets", import.meta.url));
    const zipCode = assets.find((name) => /^client-zip-\w+\.js$/.test(name));
    await page.evaluate(`import("${waxseal.url}/assets/${zipCode}").then(() => undefined)`);
    await page.locator("#save-all").click();
    await page.locator("#status", { hasText: "secret.zip saved" }).waitFor({ state: "attached" });
  });

  it("are saved by buttons that are called what they say, while they save too", async () => {
    await withPicker("file");
    await page.addInitScript(() => {
      FileSystemWritableFileStream.prototype.close = () => new Promise(() => undefined);
    });
    await open([part("a.key", new Uint8Array(50)), part("b.key", some("x"))]);
    await button("Save a.key").click();
    await button("Saving… a.key").waitFor();
    assert.ok(await button("Save b.key").isVisible());
  });

  it("stay where they are when the person changes their mind", async () => {
    await withPicker("cancel");
    await open([part("a.key", some("x"))]);
    await button("Save a.key").click();
    await page.locator("button[aria-busy]").waitFor({ state: "detached" });
    assert.equal(await button("Save a.key").textContent(), "Save");
    assert.ok(await page.locator("#files-problem").isHidden());
  });

  it("come as a download where an administrator forbids the other way", async () => {
    await withPicker("forbidden");
    await open([part("a.key", some("xyz"))]);
    assert.equal((await saved(page, "Save a.key")).bytes.toString(), "xyz");
  });

  it("are still there where the disk is full, and the person is told", async () => {
    await withPicker("file");
    await page.addInitScript(() => {
      FileSystemWritableFileStream.prototype.write = () =>
        Promise.reject(new DOMException("Full", "QuotaExceededError"));
    });
    await open([part("a.key", some("x"))]);
    await button("Save a.key").click();
    await page.getByText("It couldn't be saved. It is still here").waitFor();
    assert.equal(await page.evaluate(() => document.activeElement?.id), "files-problem");
    assert.equal(await button("Save a.key").textContent(), "Save");
  });

  it("are gone after a reload, which says already opened", async () => {
    await open([part("a.key", some("x"))]);
    await page.reload();
    await heading(page, "Already opened").waitFor();
    assert.equal(await page.locator("#files").textContent(), "");
  });
});
