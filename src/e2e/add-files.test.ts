import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Browser, Page, Request } from "playwright-core";
import { launchChromium } from "../testing/chromium.ts";
import { addFiles, createLink, file, heading } from "./file-people.ts";
import { startWaxseal, type Waxseal } from "./rig.ts";

const KiB = 1024;

/** What is dropped or pasted, in the page's own words. */
interface Transfer {
  readonly files?: readonly { readonly name: string; readonly type?: string; readonly content?: string }[];
  readonly text?: string;
}

describe("adding files", () => {
  let waxseal: Waxseal;
  let browser: Browser;
  let page: Page;
  let requests: Request[] = [];

  before(async () => {
    waxseal = await startWaxseal({ MAX_SECRET_BYTES: "10KiB", MAX_FILES: "3" });
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
    requests = [];
    page.on("request", (request) => requests.push(request));
    await page.goto(`${waxseal.url}/`);
  });

  const secret = () => page.getByLabel("Secret", { exact: true });
  const addButton = () => page.getByRole("button", { name: "Add files (or drop them here)" });
  const names = () => page.locator("#files bdi").allTextContents();
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label"));
  const posts = () => requests.filter((request) => request.method() !== "GET");

  async function dispatch(
    kind: "dragover" | "dragleave" | "drop" | "paste",
    transfer: Transfer,
    on = "body",
  ) {
    return page.locator(on).evaluate(
      (target, [kind, { files = [], text }]) => {
        const data = new DataTransfer();
        for (const { name, type = "", content = name } of files)
          data.items.add(new File([content], name, { type }));
        if (text !== undefined) data.setData("text/plain", text);
        const common = { bubbles: true, cancelable: true, composed: true };
        const event =
          kind === "paste"
            ? new ClipboardEvent(kind, { ...common, clipboardData: data })
            : new DragEvent(kind, { ...common, dataTransfer: data });
        return target.dispatchEvent(event);
      },
      [kind, transfer] as const,
    );
  }

  it("opens the browser's window for choosing them, from the keyboard too", async () => {
    const opened = page.waitForEvent("filechooser");
    await addButton().press("Enter");
    const chooser = await opened;
    assert.ok(chooser.isMultiple());
    await chooser.setFiles([file("notes.zip", 2 * KiB)]);
    await page.getByText("notes.zip").waitFor();
    assert.equal(await page.locator("#files li").textContent(), "notes.zip2 KBRemove");
  });

  it("loads the code for them when the first is added", async () => {
    assert.ok(!requests.some((request) => request.url().includes("/file-list-")));
    await addFiles(page, [file("a", 1)]);
    assert.ok(requests.some((request) => request.url().includes("/file-list-")));
  });

  it("says so where that code can't be loaded, and adds them at the second try", async () => {
    await page.route("**/assets/file-list-*", (route) => route.abort());
    await secret().fill("hunter2");
    await page.locator("#file-input").setInputFiles([file("a.txt", 1)]);
    await page.getByText("The code for files couldn't be loaded. Nothing was added. Try again.").waitFor();
    assert.equal(await secret().inputValue(), "hunter2");
    await page.unroute("**/assets/file-list-*");
    await addFiles(page, [file("a.txt", 1)]);
    assert.ok(await page.locator("#problem").isHidden());
  });

  it("takes what is dropped anywhere on the page, and shows that it would", async () => {
    const files = [{ name: "one.txt" }, { name: "two.txt" }];
    assert.equal(await dispatch("dragover", { files }), false);
    assert.ok(await page.evaluate(() => document.documentElement.hasAttribute("data-drop")));
    await dispatch("dragleave", { files });
    assert.ok(!(await page.evaluate(() => document.documentElement.hasAttribute("data-drop"))));
    await dispatch("dragover", { files });
    assert.equal(await dispatch("drop", { files }, "footer"), false);
    await page.getByText("two.txt").waitFor();
    assert.ok(!(await page.evaluate(() => document.documentElement.hasAttribute("data-drop"))));
    assert.deepEqual(await names(), ["one.txt", "two.txt"]);
  });

  it("leaves dragged text to the field", async () => {
    assert.equal(await dispatch("dragover", { text: "hunter2" }), true);
    assert.ok(!(await page.evaluate(() => document.documentElement.hasAttribute("data-drop"))));
    assert.equal(await dispatch("drop", { text: "hunter2" }), true);
  });

  it("doesn't let a file that is dropped on the finished link take the page away", async () => {
    await secret().fill("hunter2");
    await createLink(page);
    assert.equal(await dispatch("drop", { files: [{ name: "late.txt" }] }), false);
    assert.deepEqual(await names(), []);
  });

  /** A folder as the browser itself hands it over: no script can make one. */
  async function dropFolder(): Promise<void> {
    const path = await mkdtemp(join(tmpdir(), "waxseal-"));
    const devtools = await page.context().newCDPSession(page);
    try {
      const data = { items: [], files: [path], dragOperationsMask: 1 };
      for (const type of ["dragEnter", "dragOver", "drop"] as const)
        await devtools.send("Input.dispatchDragEvent", { type, x: 40, y: 40, data });
    } finally {
      await devtools.detach();
      await rm(path, { recursive: true });
    }
  }

  it("says of a folder what to do instead", async () => {
    await dropFolder();
    await page
      .getByRole("link", { name: "A folder can't be added. Zip it, then add the zip file." })
      .waitFor();
    assert.equal(await page.title(), "Error: Share a secret · Waxseal");
    assert.deepEqual(await names(), []);
  });

  it("says nothing of a folder that is dropped on the finished link", async () => {
    await secret().fill("hunter2");
    await createLink(page);
    await page.evaluate(() => {
      DataTransferItem.prototype.webkitGetAsEntry = () => ({ isDirectory: true }) as FileSystemEntry;
    });
    assert.equal(await dispatch("drop", { files: [{ name: "folder" }] }), false);
    assert.equal(await page.title(), "Your link is ready · Waxseal");
    assert.equal(await page.locator("#problem").getAttribute("hidden"), "");
  });

  it("takes a pasted screenshot, whichever field has the focus", async () => {
    for (const on of ["#secret", "#passphrase", "body"]) {
      const before = (await names()).length;
      assert.equal(await dispatch("paste", { files: [{ name: "image.png", type: "image/png" }] }, on), false);
      await page.locator("#files li").nth(before).waitFor();
    }
    assert.deepEqual(await names(), ["image.png", "image.png", "image.png"]);
    assert.equal(await secret().inputValue(), "");
  });

  it("takes an image from the real clipboard", async () => {
    await page.evaluate(async () => {
      const canvas = document.createElement("canvas");
      canvas.width = canvas.height = 8;
      canvas.getContext("2d")?.fillRect(2, 2, 4, 4);
      const blob = new Promise<Blob>((resolve) => canvas.toBlob((made) => resolve(made ?? new Blob())));
      await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
    });
    await secret().focus();
    await page.keyboard.press("Control+V");
    await page.getByText("image.png").waitFor();
    assert.equal(await secret().inputValue(), "");
  });

  it("pastes text as text where the clipboard holds a picture of it too, as a spreadsheet leaves it", async () => {
    await page.evaluate(async () => {
      const canvas = document.createElement("canvas");
      canvas.width = canvas.height = 8;
      const blob = new Promise<Blob>((resolve) => canvas.toBlob((made) => resolve(made ?? new Blob())));
      await navigator.clipboard.write([
        new ClipboardItem({
          "image/png": blob,
          "text/plain": new Blob(["user\thunter2"], { type: "text/plain" }),
        }),
      ]);
    });
    await secret().focus();
    await page.keyboard.press("Control+V");
    await page.waitForFunction(() => (document.getElementById("secret") as HTMLTextAreaElement).value !== "");
    assert.equal(await secret().inputValue(), "user\thunter2");
    assert.deepEqual(await names(), []);
  });

  it("pastes plain text as it always has", async () => {
    await page.evaluate(() => navigator.clipboard.writeText("hunter2"));
    await secret().focus();
    await page.keyboard.press("Control+V");
    assert.equal(await secret().inputValue(), "hunter2");
    assert.deepEqual(await names(), []);
  });

  it("takes copied files where a file manager puts nothing but their names beside them", async () => {
    const files = [{ name: "a.txt" }, { name: "b.txt" }];
    assert.equal(
      await dispatch("paste", { files, text: "/home/ann/a.txt\n/home/ann/b.txt" }, "#secret"),
      false,
    );
    await page.getByText("b.txt").waitFor();
    assert.equal(await secret().inputValue(), "");
  });

  it("removes one, says so, and leaves the focus beside it", async () => {
    await addFiles(page, [file("a.txt", 1), file("b.txt", 2), file("c.txt", 3)]);
    await page.getByRole("button", { name: "Remove b.txt" }).press("Enter");
    assert.deepEqual(await names(), ["a.txt", "c.txt"]);
    assert.equal(await page.locator("#status").textContent(), "b.txt removed. 2 files left.");
    assert.equal(await focused(), "Remove c.txt");
    await page.getByRole("button", { name: "Remove c.txt" }).press("Enter");
    assert.equal(await focused(), "Remove a.txt");
    await page.getByRole("button", { name: "Remove a.txt" }).press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement?.id), "add-files");
  });

  it("lets a file that was removed be added again, and sends only what is listed", async () => {
    await addFiles(page, [file("a.txt", 1), file("b.txt", 2)]);
    await page.getByRole("button", { name: "Remove a.txt" }).click();
    await page.getByRole("button", { name: "Remove b.txt" }).click();
    await addFiles(page, [file("b.txt", 2)]);
    const recipient = await (await browser.newContext()).newPage();
    await recipient.goto(await createLink(page));
    await recipient.getByRole("button", { name: "Open secret" }).click();
    await recipient.getByRole("button", { name: "Save b.txt" }).waitFor();
    assert.equal(await recipient.locator("#files li").count(), 1);
  });

  it("gives every button that it adds 44 pixels, on a narrow page too", async () => {
    await page.setViewportSize({ width: 320, height: 640 });
    await addFiles(page, [file("a-name-that-is-much-longer-than-the-page-is-wide.tar.gz", 1)]);
    for (const button of [addButton(), page.getByRole("button", { name: /^Remove/ })]) {
      const { width = 0, height = 0 } = (await button.boundingBox()) ?? {};
      assert.ok(width >= 44 && height >= 44, `${width} × ${height}`);
    }
  });

  describe("against the limits, before anything is encrypted", () => {
    async function assertRefused(words: string): Promise<void> {
      await page.getByRole("link", { name: words }).waitFor();
      assert.equal(await page.title(), "Error: Share a secret · Waxseal");
      const listed = await names();
      await page.getByRole("button", { name: "Create link" }).click();
      await page.getByRole("link", { name: words }).waitFor();
      assert.deepEqual(await names(), listed);
      assert.equal(posts().length, 0);
    }

    it("names the file that is too large, at once", async () => {
      await addFiles(page, [file("a.txt", 1), file("notes.zip", 12 * KiB)]);
      await assertRefused("notes.zip is 12 KB. The limit is 10 KB.");
      await page.getByRole("button", { name: "Remove notes.zip" }).click();
      await createLink(page);
    });

    it("adds up text and files", async () => {
      await secret().fill("x".repeat(4 * KiB));
      await addFiles(page, [file("a.bin", 4 * KiB), file("b.bin", 4 * KiB)]);
      await page.getByRole("button", { name: "Create link" }).click();
      await assertRefused("Together this is 12 KB. The limit is 10 KB.");
      assert.equal((await secret().inputValue()).length, 4 * KiB);
    });

    it("adds none of too many", async () => {
      await addFiles(page, [file("a", 1), file("b", 1)]);
      await page.locator("#file-input").setInputFiles([file("c", 1), file("d", 1)]);
      await page.getByText("4 files are too many. The limit is 3.").waitFor();
      assert.deepEqual(await names(), ["a", "b"]);
    });

    it("asks for a secret or a file where there is neither", async () => {
      await page.getByRole("button", { name: "Create link" }).click();
      await page.getByRole("link", { name: "Enter a secret or add a file", exact: true }).waitFor();
      assert.equal(posts().length, 0);
    });
  });

  it("is empty again once the link is made", async () => {
    await addFiles(page, [file("a.txt", 1)]);
    await createLink(page);
    assert.equal(await page.locator("#files li").count(), 0);
    assert.ok(await page.locator("#files").isHidden());
  });

  it("keeps text and files when saving fails, and a second try sends the same bytes", async () => {
    const bodies: string[] = [];
    await page.route("**/api/v1/secrets", async (route) => {
      bodies.push(route.request().postData() ?? "");
      if (bodies.length > 1) return route.continue();
      await route.fetch(); // the server has it; the answer gets lost
      await route.abort();
    });
    await secret().fill("hunter2");
    await addFiles(page, [file("a.txt", 100)]);
    await page.getByRole("button", { name: "Create link" }).click();
    await page.getByText("We couldn't save it. Your text and files are still here.").waitFor();
    assert.deepEqual(await names(), ["a.txt"]);
    await page.getByRole("button", { name: "Try again" }).click();
    await heading(page, "Your link is ready").waitFor();
    assert.equal(bodies[0], bodies[1]);
  });

  it("makes another secret of it where something was changed in between", async () => {
    const ids: string[] = [];
    await page.route("**/api/v1/secrets", (route) => {
      ids.push(JSON.parse(route.request().postData() ?? "{}").id);
      return ids.length > 1 ? route.continue() : route.abort();
    });
    await addFiles(page, [file("a.txt", 100), file("b.txt", 100)]);
    await page.getByRole("button", { name: "Create link" }).click();
    await page.getByText("We couldn't save it. Your files are still here.").waitFor();
    await page.getByRole("button", { name: "Remove b.txt" }).click();
    await page.getByRole("button", { name: "Try again" }).click();
    await heading(page, "Your link is ready").waitFor();
    assert.notEqual(ids[0], ids[1]);
  });
});

describe("where the operator takes no files", () => {
  it("offers none, and shares texts all the same", async () => {
    const waxseal = await startWaxseal({ MAX_FILES: "0" });
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      await page.goto(`${waxseal.url}/`);
      assert.equal(await page.locator("#add-files").count(), 0);
      await page.getByLabel("Secret", { exact: true }).fill("hunter2");
      await createLink(page);
    } finally {
      await browser.close();
      await waxseal.close();
    }
  });
});
