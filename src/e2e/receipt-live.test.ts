import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, Page } from "playwright-core";
import { launchChromium } from "../testing/chromium.ts";
import { type EventReader, readEvents } from "../testing/event-stream.ts";
import { ask } from "../testing/every-flow.ts";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { newClaim, type SealedSecret, sealSecret } from "../testing/sealed-secret.ts";
import { launchServer, type ServerProcess, startServer } from "../testing/server-process.ts";
import { until } from "../testing/until.ts";

const GENEROUS = { RATE_LIMIT_CREATE: "10000/1m", RATE_LIMIT_OPEN: "10000/1m", RATE_LIMIT_MISS: "10000/1m" };

let redis: TestRedis;
let env: Record<string, string>;
const servers: ServerProcess[] = [];

before(async () => {
  redis = await startRedis();
  env = { ...GENEROUS, REDIS_URL: redis.url };
  for (let i = 0; i < 3; i++) servers.push(await startServer(env));
});
after(async () => {
  for (const server of servers) await server.stop();
  await redis?.stop();
});

const replica = (index: number) => servers[index] ?? assert.fail("there are three");

async function post(url: string, body: object, bearer?: string): Promise<number> {
  const authorization = bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` };
  const headers = { "Content-Type": "application/json", ...authorization };
  return (await fetch(url, { method: "POST", headers, body: JSON.stringify(body) })).status;
}

async function create(through: ServerProcess): Promise<SealedSecret> {
  const secret = await sealSecret();
  // Again where the machine was too busy for the program's patience, here and in what follows.
  await until(async () => (await post(`${through.url}/api/v1/secrets`, secret.body)) === 201);
  return secret;
}

async function open(through: ServerProcess, { access, link }: SealedSecret): Promise<void> {
  const body = { access, claim: newClaim() };
  await until(async () => (await post(`${through.url}/api/v1/secret/open`, body, link)) === 200);
}

/** As the page does when somebody comes to a link. */
const visit = (through: ServerProcess, { link }: SealedSecret) =>
  until(async () => {
    const headers = { Authorization: `Bearer ${link}` };
    return (await fetch(`${through.url}/api/v1/secret`, { headers })).status === 200;
  });

/** Begun again, as all else here, while the store is too slow for the program's patience. */
async function follow(
  through: ServerProcess,
  { receipt }: SealedSecret,
  headers: Record<string, string> = {},
): Promise<EventReader> {
  const sent = { Authorization: `Bearer ${receipt}`, ...headers };
  for (let tries = 1; ; tries++) {
    const reader = await readEvents(`${through.url}/api/v1/receipt/events`, sent);
    if (reader.response.status !== 503 || tries === 40) return reader;
    reader.close();
    await sleep(250);
  }
}

/** What the next event says of the secret; undefined where the stream has ended. */
async function stateOf(reader: EventReader): Promise<string | undefined> {
  const event = await reader.next();
  return (event?.data as { state?: string } | undefined)?.state;
}

describe("A receipt that is followed through replicas on one Redis", () => {
  for (const count of [2, 3]) {
    it(`is told of what happens through another of ${count}`, async () => {
      const secret = await create(replica(0));
      const readers = await Promise.all(servers.slice(0, count).map((server) => follow(server, secret)));
      for (const reader of readers) assert.equal(await stateOf(reader), "sealed");
      await open(replica(count - 1), secret);
      for (const reader of readers) assert.equal(await stateOf(reader), "opened");
      for (const reader of readers) reader.close();
    });
  }

  it("goes on through another one from what its reader has", async () => {
    const secret = await create(replica(0));
    const first = await follow(replica(0), secret);
    const event = await first.next();
    first.close();
    const second = await follow(replica(1), secret, { "Last-Event-ID": event?.id ?? "" });
    await open(replica(2), secret);
    // What it has is not told again: the first that it hears is the opening.
    assert.equal(await stateOf(second), "opened");
    second.close();
  });

  it("does not keep a process from ending", async () => {
    const server = await startServer(env);
    try {
      const secret = await create(server);
      const readers = await Promise.all(Array.from({ length: 5 }, () => follow(server, secret)));
      for (const reader of readers) assert.equal(await stateOf(reader), "sealed");
      server.signal("SIGTERM");
      for (const reader of readers) assert.equal(await stateOf(reader), undefined);
      assert.equal(await server.ended, 0);
    } finally {
      await server.stop();
    }
  });
});

describe("The receipt page", () => {
  let browser: Browser;
  let page: Page;

  before(async () => {
    browser = await launchChromium();
  });
  after(() => browser?.close());
  beforeEach(async () => {
    for (const context of browser.contexts()) await context.close();
    page = await (await browser.newContext({ timezoneId: "Asia/Kathmandu", locale: "en-GB" })).newPage();
  });

  const heading = (name: string, tab = page) => tab.getByRole("heading", { name, exact: true });
  const urlOf = (server: ServerProcess, secret: SealedSecret) => `${server.url}/r#${secret.receiptFragment}`;

  /**
   * Until it says that the secret is sealed. What the tab shows by now is hidden first: an address of which
   * only the fragment is another one is no load, and what stood there before would be taken for it.
   */
  async function goTo(url: string, tab = page): Promise<void> {
    await tab.evaluate(() => {
      for (const screen of document.querySelectorAll<HTMLElement>("[data-screen]")) screen.hidden = true;
    });
    await tab.goto(url);
    const retry = tab.getByRole("button", { name: "Try again", exact: true });
    await until(async () => {
      if (await retry.isVisible()) await retry.click();
      return heading("Sealed", tab).isVisible();
    });
  }
  async function show(server: ServerProcess): Promise<SealedSecret> {
    const secret = await create(server);
    await goTo(urlOf(server, secret));
    return secret;
  }
  /** Paths of the API that it has asked for, from now on. */
  function asked(): string[] {
    const paths: string[] = [];
    page.on("request", (request) => {
      const { pathname } = new URL(request.url());
      if (pathname.startsWith("/api/")) paths.push(pathname);
    });
    return paths;
  }

  it("says it the moment that somebody opens it, in a tab that nobody looks at, without asking again", async () => {
    const paths = asked();
    const secret = await show(replica(0));
    assert.equal(await page.title(), "Sealed · Waxseal");
    // While a stream is slow to begin, the page looks meanwhile. Here it sees nothing, so that the visit,
    // and what follows it, can only come by the stream.
    await page.route("**/api/v1/receipt", (route) => route.abort());
    await visit(replica(1), secret);
    await page.locator("#timeline li").nth(1).waitFor();
    const other = await page.context().newPage();
    await other.bringToFront();
    const before = paths.length;
    await open(replica(1), secret);
    await until(async () => (await page.title()) === "✓ Opened");
    assert.equal(await page.locator("#seal").getAttribute("data-seal"), "opened");
    assert.deepEqual(paths.slice(before), []);
  });

  it("shows a visit, and times as the reader's clock has them", async () => {
    const secret = await show(replica(0));
    await visit(replica(1), secret);
    const visited = page.locator("#timeline li", { hasText: "Page visited by somebody with the link" });
    await visited.waitFor();
    const said = page.getByRole("status").filter({ hasText: "Page visited by somebody with the link." });
    await said.waitFor({ state: "attached" });
    const time = visited.locator("time");
    const at = new Date((await time.getAttribute("datetime")) ?? "");
    const words = at.toLocaleString("en-GB", {
      dateStyle: "medium",
      timeStyle: "short",
      timeZone: "Asia/Kathmandu",
    });
    assert.equal(await time.textContent(), words);
  });

  it("leaves connections for the browser's other tabs, however many of them show receipts", async () => {
    // Over HTTP/1.1 a browser has six connections for all of its tabs.
    const secret = await create(replica(0));
    const tabs: Page[] = [];
    for (let i = 0; i < 8; i++) {
      const tab = await page.context().newPage();
      tabs.push(tab);
      await goTo(urlOf(replica(0), secret), tab);
    }
    await open(replica(1), secret);
    for (const tab of tabs) {
      await tab.bringToFront();
      await until(async () => (await tab.title()) === "✓ Opened");
    }
  });

  it("follows on by itself after its server was restarted", async () => {
    let server = await startServer(env);
    const { port } = server;
    try {
      const secret = await show(server);
      const paths = asked();
      await server.stop();
      server = launchServer(port, env);
      await until(() => server.output().includes("is ready"));
      await until(() => paths.includes("/api/v1/receipt/events"));
      await open(replica(1), secret);
      await until(async () => (await page.title()) === "✓ Opened");
    } finally {
      await server.stop();
    }
  });

  it("says while its server is gone that what it shows may be out of date, and takes that back", async () => {
    let server = await startServer(env);
    const { port } = server;
    try {
      await show(server);
      const stale = page.getByText("The server can't be reached. What is shown here may be out of date.");
      assert.ok(await stale.isHidden());
      await server.stop();
      await stale.waitFor();
      await heading("Sealed").waitFor();
      server = launchServer(port, env);
      await stale.waitFor({ state: "hidden" });
    } finally {
      await server.stop();
    }
  });

  /** With a stream that has shown that it lives. */
  async function showStreaming(): Promise<SealedSecret> {
    const secret = await show(replica(0));
    // What a look of the page's own has shown doesn't say that the stream lives.
    await page.route("**/api/v1/receipt", (route) => route.abort());
    await visit(replica(1), secret);
    await page.locator("#timeline li").nth(1).waitFor();
    await page.unroute("**/api/v1/receipt");
    return secret;
  }
  const stale = () => page.getByText("What is shown here may be out of date.");
  const comeBack = () => page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));

  it("takes that back too where Redis was away for a moment and the stream has lasted", async () => {
    await showStreaming();
    const paths = asked();
    redis.freeze();
    try {
      await comeBack();
      await stale().waitFor();
    } finally {
      redis.thaw();
    }
    await stale().waitFor({ state: "hidden" });
    assert.ok(!paths.includes("/api/v1/receipt/events"));
  });

  it("takes it back as soon as the stream tells something", async () => {
    const secret = await showStreaming();
    await page.route("**/api/v1/receipt", (route) => route.abort());
    await comeBack();
    await stale().waitFor();
    await open(replica(1), secret);
    await heading("Opened").waitFor();
    assert.ok(await stale().isHidden());
  });

  it("forgets what could not be done once the secret has ended, or another receipt is shown", async () => {
    const problem = page.getByRole("alert").filter({ hasText: "We can't tell whether it was deleted." });
    const fail = async () => {
      await page.getByRole("button", { name: "Delete now" }).click();
      await problem.waitFor();
    };
    await page.route("**/api/v1/receipt/secret", (route) => route.abort());
    const secret = await show(replica(0));
    await fail();
    await goTo(urlOf(replica(0), await create(replica(0))));
    assert.ok(await problem.isHidden());
    await goTo(urlOf(replica(0), secret));
    await fail();
    await open(replica(1), secret);
    await heading("Opened").waitFor();
    assert.ok(await problem.isHidden());
  });

  const idle = (id: string) => page.locator(`#${id}:not([aria-busy])`).waitFor({ state: "attached" });

  it("takes the stream's word for a delete whose answer was lost", async () => {
    const { receipt } = await showStreaming();
    await page.route("**/api/v1/receipt/secret", async (route) => {
      const headers = { Authorization: `Bearer ${receipt}` };
      await ask(`${replica(1).url}/api/v1/receipt/secret`, { method: "DELETE", headers });
      await heading("Deleted").waitFor();
      await route.abort();
    });
    await page.getByRole("button", { name: "Delete now" }).click();
    await heading("Deleted").waitFor();
    await idle("delete");
    assert.ok(await page.locator("#problem").isHidden());
    assert.equal(await page.title(), "Deleted · Waxseal");
    assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H1");
  });

  it("keeps to what the stream told where an answer was longer on its way", async () => {
    const secret = await showStreaming();
    await page.route("**/api/v1/receipt", async (route) => {
      const before = await route.fetch();
      await open(replica(1), secret);
      await heading("Opened").waitFor();
      await route.fulfill({ response: before });
    });
    const answered = page.waitForResponse("**/api/v1/receipt");
    await comeBack();
    await (await answered).finished();
    await page.evaluate(() => new Promise(requestAnimationFrame));
    await heading("Opened").waitFor();
    assert.equal(await page.title(), "✓ Opened");
  });

  it("shows what was asked for last where no stream is and answers overtake each other", async () => {
    await page.route("**/api/v1/receipt/events", () => {});
    await show(replica(0));
    let held = 0;
    let deleted = false;
    let passed = () => {};
    const overtaken = new Promise<void>((resolve) => {
      passed = resolve;
    });
    // What was asked before the secret was deleted comes together with what was asked afterwards. The
    // page looks by itself from time to time, too.
    await page.route("**/api/v1/receipt", async (route) => {
      const early = !deleted;
      const response = await route.fetch();
      if (early) {
        held++;
        await overtaken;
      } else passed();
      await route.fulfill({ response });
    });
    page.on("response", (response) => {
      if (response.request().method() === "DELETE") deleted = true;
    });
    await comeBack();
    await until(() => held > 0);
    await page.getByRole("button", { name: "Delete now" }).click();
    await heading("Deleted").waitFor();
    await page.evaluate(() => new Promise(requestAnimationFrame));
    assert.ok(await heading("Deleted").isVisible());
  });

  it("says of one receipt that it is being deleted, and of that one only", async () => {
    await show(replica(0));
    const next = urlOf(replica(0), await create(replica(0)));
    await page.route("**/api/v1/receipt/secret", () => {});
    await page.getByRole("button", { name: "Delete now" }).click();
    await page.getByRole("button", { name: "Deleting…" }).waitFor();
    await goTo(next);
    await page.getByRole("button", { name: "Delete now" }).waitFor();
    await idle("delete");
  });

  it("doesn't say beside another receipt that a delete of the one before has failed", async () => {
    await show(replica(0));
    const next = urlOf(replica(0), await create(replica(0)));
    let fail = () => {};
    const failing = new Promise<void>((resolve) => {
      fail = resolve;
    });
    await page.route("**/api/v1/receipt/secret", async (route) => {
      await failing;
      await route.abort();
    });
    await page.getByRole("button", { name: "Delete now" }).click();
    await goTo(next);
    const failed = page.waitForEvent("requestfailed");
    fail();
    await failed;
    await page.evaluate(() => new Promise(requestAnimationFrame));
    await idle("delete");
    assert.ok(await page.locator("#problem").isHidden());
    assert.equal(await page.title(), "Sealed · Waxseal");
  });

  it("says in the title too that a delete has failed, and that it has not once it is done", async () => {
    const secret = await show(replica(0));
    await page.route("**/api/v1/receipt/secret", (route) => route.abort());
    await page.getByRole("button", { name: "Delete now" }).click();
    await page.locator("#problem").getByText("We can't tell whether it was deleted. Try again.").waitFor();
    assert.equal(await page.title(), "Error: Sealed · Waxseal");
    // News of the same state takes nothing back.
    await visit(replica(1), secret);
    await page.locator("#timeline li").nth(1).waitFor();
    assert.equal(await page.title(), "Error: Sealed · Waxseal");
    await page.unroute("**/api/v1/receipt/secret");
    await page.getByRole("button", { name: "Delete now" }).click();
    await heading("Deleted").waitFor();
    assert.equal(await page.title(), "Deleted · Waxseal");
  });

  it("asks from time to time where something on the way keeps the stream back", async () => {
    await page.route("**/api/v1/receipt/events", () => {});
    const secret = await show(replica(0));
    const paths = asked();
    await open(replica(1), secret);
    await until(async () => (await page.title()) === "✓ Opened");
    assert.ok(paths.includes("/api/v1/receipt"));
  });

  it("asks the same where streams are refused, and stops when nothing can follow", async () => {
    await page.clock.install();
    await page.route("**/api/v1/receipt/events", (route) => route.fulfill({ status: 502, body: "no" }));
    await show(replica(0));
    const paths = asked();
    await until(async () => {
      await page.clock.runFor(1_000);
      return paths.filter((path) => path === "/api/v1/receipt").length > 1;
    });
    await page.getByRole("button", { name: "Delete now" }).click();
    await heading("Deleted").waitFor();
    const before = paths.length;
    await page.clock.runFor(600_000);
    assert.deepEqual(paths.slice(before), []);
    assert.equal(await page.title(), "Deleted · Waxseal");
  });
});
