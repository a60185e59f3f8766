import assert from "node:assert/strict";
import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Browser, Page, Request } from "playwright-core";
import { launchChromium } from "../testing/chromium.ts";
import { type CuttingProxy, startCuttingProxy } from "../testing/cutting-proxy.ts";
import { until } from "../testing/until.ts";
import {
  addFiles,
  createLink,
  file,
  heading,
  noise,
  openLink,
  saved,
  sha256,
  withoutPicker,
} from "./file-people.ts";
import { shareUnsent, startWaxseal, type Waxseal } from "./rig.ts";

const MiB = 2 ** 20;
const CUTS = 20;

describe("large files on a bad line", () => {
  let waxseal: Waxseal;
  let browser: Browser;
  let page: Page;
  let proxy: CuttingProxy | undefined;
  let requests: Request[] = [];

  before(async () => {
    waxseal = await startWaxseal({ MAX_SECRET_BYTES: "30MiB" });
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    await proxy?.close();
    await waxseal?.close();
  });
  beforeEach(async () => {
    for (const context of browser.contexts()) await context.close();
    await proxy?.close();
    proxy = undefined;
    page = await newPage();
    requests = [];
    page.on("request", (request) => requests.push(request));
  });

  async function newPage(): Promise<Page> {
    const made = await (await browser.newContext()).newPage();
    await withoutPicker(made);
    return made;
  }

  /** The same server by a line that breaks again and again. */
  async function overBadLine(every: number, times: number): Promise<string> {
    proxy = await startCuttingProxy(Number(new URL(waxseal.url).port), { every, times });
    return `http://localhost:${proxy.port}`;
  }

  const data = file("data.bin", 8 * MiB);
  const button = (name: string, on = page) => on.getByRole("button", { name, exact: true });
  const answers = (method: string) => requests.filter((request) => request.method() === method);

  /** Requests to the API that wait for their answer, of those that are sent from now on. */
  function underWay(): ReadonlySet<Request> {
    const waiting = new Set<Request>();
    page.on("request", (request) => {
      if (request.url().includes("/api/")) waiting.add(request);
    });
    page.on("requestfinished", (request) => waiting.delete(request));
    page.on("requestfailed", (request) => waiting.delete(request));
    return waiting;
  }

  async function startUpload(files = [data]): Promise<void> {
    await page.goto(`${waxseal.url}/`);
    await addFiles(page, files);
    await button("Create link").click();
  }

  /** What the receipt says, by the token that the page used. */
  async function receipt(): Promise<{ state: string; received?: number }> {
    const [put] = answers("PUT");
    const authorization = (await put?.headerValue("Authorization")) ?? "";
    const answer = await fetch(`${waxseal.url}/api/v1/receipt`, {
      headers: { Authorization: authorization },
    });
    return (await answer.json()) as { state: string; received?: number };
  }

  it(`arrive byte for byte though the line breaks ${CUTS} times on the way up`, async () => {
    const url = await overBadLine(256 * 1024, CUTS);
    await page.goto(`${url}/`);
    await addFiles(page, [data]);
    const link = await createLink(page);
    assert.equal(proxy?.cuts(), CUTS);
    const recipient = await newPage();
    await openLink(recipient, link);
    assert.equal(sha256((await saved(recipient, "Save data.bin")).bytes), sha256(data.buffer));
  });

  it(`arrive byte for byte though the line breaks ${CUTS} times on the way down`, async () => {
    await startUpload();
    await heading(page, "Your link is ready").waitFor();
    const link = await page.locator("#link").inputValue();
    const recipient = await newPage();
    const url = await overBadLine(256 * 1024, CUTS);
    await openLink(recipient, link.replace(waxseal.url, url));
    assert.equal(proxy?.cuts(), CUTS);
    assert.equal(sha256((await saved(recipient, "Save data.bin")).bytes), sha256(data.buffer));
  });

  it("send again only what had not arrived when a part was cut", async () => {
    const url = await overBadLine(3 * MiB, 1);
    await page.goto(`${url}/`);
    await addFiles(page, [data]);
    await createLink(page);
    const sizes = answers("PUT").map((request) => request.postDataBuffer()?.length ?? 0);
    const all = sizes.reduce((sum, size) => sum + size, 0);
    const cutPart = Math.max(...sizes);
    assert.ok(
      all > data.buffer.length && all < data.buffer.length + 2 * cutPart,
      `${all} bytes in ${sizes.length} parts`,
    );
  });

  it("show how far they are and what is left, and say so every tenth", async () => {
    const said: string[] = [];
    await page.exposeFunction("heard", (words: string) => said.push(words));
    await page.addInitScript(() => {
      addEventListener("DOMContentLoaded", () => {
        const status = document.getElementById("status") as HTMLElement;
        const { heard } = window as unknown as { heard(words: string): void };
        new MutationObserver(() => heard(status.textContent ?? "")).observe(status, { childList: true });
      });
    });
    const { promise, go } = gate();
    await page.route("**/api/v1/secret/blob", async (route) => {
      if (answers("PUT").length > 2) await promise;
      await route.continue();
    });
    await startUpload();
    await heading(page, /^Uploading \d+%$/).waitFor();
    await until(() => answers("PUT").length > 2);
    const { received = 0 } = await receipt();
    const [put] = answers("PUT");
    const size = Number((await put?.headerValue("Content-Range"))?.split("/")[1]);
    const bar = page.locator("[data-screen=sending] progress");
    await until(
      async () => (await bar.evaluate((shown) => (shown as HTMLProgressElement).value)) === received / size,
    );
    const detail = page.locator("[data-screen=sending] [data-fill=detail]");
    assert.match(await detail.innerText(), /^[\d.]+ MB of 8\.\d MB/);
    assert.match(await page.title(), /^Uploading \d+% · Waxseal$/);
    go();
    await heading(page, "Your link is ready").waitFor();
    const percents = said.flatMap((words) => /^Uploading (\d+)%/.exec(words)?.[1] ?? []).map(Number);
    assert.ok(percents.length > 0 && percents.length <= 11, percents.join());
    assert.ok(
      percents.every(
        (percent, i) => i === 0 || Math.floor(percent / 10) > Math.floor((percents[i - 1] ?? 0) / 10),
      ),
    );
  });

  it("can be cancelled on the way up, which leaves nothing on the server and everything on the page", async () => {
    const { promise, go } = gate();
    await page.route("**/api/v1/secret/blob", async (route) => {
      if (answers("PUT").length > 1) await promise;
      await route.continue().catch(() => undefined);
    });
    await startUpload();
    await until(() => answers("PUT").length > 1);
    assert.equal((await receipt()).state, "uploading");
    await button("Cancel").click();
    await heading(page, "Share a secret").waitFor();
    await page.getByText("Cancelled. Nothing was kept on the server.").waitFor();
    assert.deepEqual(await page.locator("#files bdi").allTextContents(), ["data.bin"]);
    await until(async () => (await receipt()).state === "deleted");
    go();
    await createLink(page);
  });

  it("go on where they were when the person tries again after a long silence", async () => {
    await page.clock.install();
    await page.route("**/api/v1/secret/blob", async (route) =>
      answers("PUT").length > 2 ? route.abort() : route.continue(),
    );
    await startUpload();
    await page.getByText("The connection was lost. Trying again…").first().waitFor();
    await page.route("**/api/v1/receipt", (route) => route.abort());
    const gaveUp = page.getByText("We couldn't save it. Your files are still here.");
    await until(async () => {
      await page.clock.runFor(60_000);
      return gaveUp.isVisible();
    });
    const before = answers("POST").length;
    await page.unroute("**/api/v1/secret/blob");
    await page.unroute("**/api/v1/receipt");
    const arrived = (await receipt()).received ?? 0;
    assert.ok(arrived > 0);
    const cut = requests.length;
    await button("Try again").click();
    await page.clock.resume();
    await heading(page, "Your link is ready").waitFor();
    assert.equal(answers("POST").length, before, "no second secret");
    const resumed = requests.slice(cut).filter((request) => request.method() === "PUT");
    assert.equal(
      await resumed[0]?.headerValue("Content-Range").then((range) => range?.split(/[ -]/)[1]),
      String(arrived),
    );
  });

  it("begin anew where the server has dropped what it had", async () => {
    let dropped = false;
    await page.route("**/api/v1/secret/blob", async (route) => {
      if (!dropped && answers("PUT").length > 2) {
        dropped = true;
        const authorization = (await route.request().headerValue("Authorization")) ?? "";
        await fetch(`${waxseal.url}/api/v1/receipt/secret`, {
          method: "DELETE",
          headers: { Authorization: authorization },
        });
      }
      await route.continue();
    });
    await startUpload();
    await page.getByText("We couldn't save it. Your files are still here.").waitFor();
    await button("Try again").click();
    await heading(page, "Your link is ready").waitFor();
    assert.equal(answers("POST").length, 2);
  });

  /** What the server does with an upload whose last part it never answers. */
  const endings: Readonly<Record<string, (authorization: string) => Promise<unknown>>> = {
    deleted: (authorization) =>
      fetch(`${waxseal.url}/api/v1/receipt/secret`, {
        method: "DELETE",
        headers: { Authorization: authorization },
      }),
    expired: async () => waxseal.advance(1801),
  };
  for (const [state, end] of Object.entries(endings)) {
    it(`show no link where the last part is lost and the upload is ${state}, and begin anew at a second try`, async () => {
      let ended = false;
      await page.route("**/api/v1/secret/blob", async (route) => {
        const range = (await route.request().headerValue("Content-Range")) ?? "";
        const [, last, size] = /-(\d+)\/(\d+)$/.exec(range) ?? [];
        if (ended || Number(last) + 1 !== Number(size)) return route.continue();
        ended = true;
        await end((await route.request().headerValue("Authorization")) ?? "");
        await route.abort();
      });
      await startUpload();
      await page
        .getByRole("link", { name: "The server gave it up before it was whole. Try again." })
        .waitFor();
      assert.equal((await receipt()).state, state);
      assert.ok(await heading(page, "Your link is ready").isHidden());
      assert.equal(await page.locator("#link").inputValue(), "");
      await button("Try again").click();
      await heading(page, "Your link is ready").waitFor();
      const ids = answers("POST").map((request) => request.postDataJSON().id);
      assert.equal(new Set(ids).size, 2);
    });
  }

  it("get there on a line that never lets a whole part through, however long it takes", async () => {
    const piece = 64 * 1024;
    await page.clock.install();
    await page.route("**/api/v1/secret/blob", async (route) => {
      const request = route.request();
      const {
        authorization = "",
        "content-range": range = "",
        "content-type": type = "",
      } = await request.allHeaders();
      const [, first, last, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(range) ?? [];
      if (Number(last) - Number(first) < piece) return route.continue();
      await fetch(request.url(), {
        method: "PUT",
        headers: {
          Authorization: authorization,
          "Content-Type": type,
          "Content-Range": `bytes ${first}-${Number(first) + piece - 1}/${size}`,
        },
        body: new Uint8Array(request.postDataBuffer()?.subarray(0, piece) ?? []),
      });
      await page.clock.runFor(120_000);
      await route.abort();
    });
    const waiting = underWay();
    await startUpload([file("data.bin", 15 * piece)]);
    const [ready, failed] = [heading(page, "Your link is ready"), button("Try again")];
    await until(async () => {
      // The page's patience with an answer runs by this clock too: a slow machine would outlast it.
      if (waiting.size === 0) await page.clock.runFor(20_000);
      return (await ready.isVisible()) || (await failed.isVisible());
    });
    assert.ok(await ready.isVisible());
    assert.ok(answers("PUT").length > 10, `${answers("PUT").length} parts`);
  });

  it("are told in the server's words why they can't go up now", async () => {
    const busy = await startWaxseal({ UPLOADS_PER_ADDRESS: "1" });
    try {
      await shareUnsent(busy.url);
      await page.goto(`${busy.url}/`);
      await addFiles(page, [data]);
      await button("Create link").click();
      await page
        .getByRole("link", { name: "Too many files are being sent from your address. Wait for one to end." })
        .waitFor();
    } finally {
      await busy.close();
    }
  });

  it("make the browser ask before the page is left while they go up, and only then", async () => {
    const asked = () => page.evaluate(() => !dispatchEvent(new Event("beforeunload", { cancelable: true })));
    const { promise, go } = gate();
    await page.route("**/api/v1/secret/blob", async (route) => {
      await promise;
      await route.continue();
    });
    await startUpload();
    await until(() => answers("PUT").length > 0);
    assert.equal(await asked(), true);
    go();
    await heading(page, "Your link is ready").waitFor();
    assert.equal(await asked(), false);
  });

  it("say which file has changed since it was chosen, and keep nothing of it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "waxseal-"));
    try {
      const path = join(folder, "notes.bin");
      await writeFile(path, noise(3 * MiB));
      await page.goto(`${waxseal.url}/`);
      await page.locator("#file-input").setInputFiles(path);
      await page.getByText("notes.bin").waitFor();
      await writeFile(path, noise(3 * MiB, 9));
      await utimes(path, new Date(), new Date(Date.now() + 60_000));
      await button("Create link").click();
      await page.getByText("notes.bin can't be read any more. Add it again.").waitFor();
      if (answers("PUT").length > 0) await until(async () => (await receipt()).state === "deleted");
      await button("Remove notes.bin").click();
      await page.locator("#file-input").setInputFiles(path);
      await button("Try again").click();
      await heading(page, "Your link is ready").waitFor();
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("can be cancelled on the way down, and go on later without coming twice", async () => {
    await startUpload();
    await heading(page, "Your link is ready").waitFor();
    const recipient = await newPage();
    const ranges: string[] = [];
    recipient.on("request", (request) => {
      const { range } = request.headers();
      if (range) ranges.push(range);
    });
    const { promise, go } = gate();
    await recipient.route("**/api/v1/secret/blob", async (route) => {
      if (ranges.length > 2) await promise;
      await route.continue().catch(() => undefined);
    });
    await recipient.goto(await page.locator("#link").inputValue());
    await button("Open secret", recipient).click();
    await heading(recipient, /^Downloading \d+%$/).waitFor();
    await recipient.getByText("Nothing has been opened yet. Keep this page open.").waitFor();
    await until(() => ranges.length > 2);
    await button("Cancel", recipient).click();
    await heading(recipient, "Someone sent you a secret").waitFor();
    assert.equal((await receipt()).state, "sealed");
    go();
    const done = ranges.length;
    await button("Open secret", recipient).click();
    await heading(recipient, "Here's your secret").waitFor();
    assert.equal(ranges[done], ranges[done - 1], "the piece that was cancelled");
    assert.equal(new Set(ranges).size, ranges.length - 1);
    assert.equal(sha256((await saved(recipient, "Save data.bin")).bytes), sha256(data.buffer));
  });

  it("cost nothing where another secret's bytes come down instead", async () => {
    await startUpload();
    await heading(page, "Your link is ready").waitFor();
    const recipient = await newPage();
    let wrong = true;
    await recipient.route("**/api/v1/secret/blob", async (route) => {
      const response = await route.fetch();
      const body = await response.body();
      if (wrong) body[10] = (body[10] ?? 0) ^ 1;
      wrong = false;
      await route.fulfill({ response, body });
    });
    await openLink(recipient, await page.locator("#link").inputValue());
    assert.equal(wrong, false);
    assert.equal(sha256((await saved(recipient, "Save data.bin")).bytes), sha256(data.buffer));
  });

  it("come down again where they were damaged on the way, and are acknowledged only then", async () => {
    await startUpload();
    await heading(page, "Your link is ready").waitFor();
    const recipient = await newPage();
    const order: string[] = [];
    recipient.on("request", (request) => order.push(new URL(request.url()).pathname.split("/").at(-1) ?? ""));
    let damaged = 0;
    await recipient.route("**/api/v1/secret/blob", async (route) => {
      const response = await route.fetch();
      const body = await response.body();
      if (damaged++ === 1) body[1000] = (body[1000] ?? 0) ^ 1;
      await route.fulfill({ response, body });
    });
    await openLink(recipient, await page.locator("#link").inputValue());
    assert.equal(sha256((await saved(recipient, "Save data.bin")).bytes), sha256(data.buffer));
    await until(() => order.includes("ack"));
    assert.ok(order.lastIndexOf("blob") < order.indexOf("ack"), order.join());
    assert.equal(order.filter((call) => call === "open").length, 1);
  });
});

/** Holds something back until `go`. */
function gate(): { promise: Promise<void>; go: () => void } {
  let go = () => {};
  const promise = new Promise<void>((resolve) => {
    go = resolve;
  });
  return { promise, go };
}
