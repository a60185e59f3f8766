// What a person does with Waxseal in a browser, found by the words they would read.

import type { Browser, Page } from "playwright-core";

async function inFreshPage<T>(browser: Browser, act: (page: Page) => Promise<T>): Promise<T> {
  // Self-signed certificates are part of what is tested.
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  context.setDefaultTimeout(20_000);
  try {
    return await act(await context.newPage());
  } finally {
    await context.close();
  }
}

/** Everything that can be read on the page. Text, because the server's type check knows no DOM. */
const readable = `[document.body.innerText,
  ...[...document.querySelectorAll("input, textarea")].map((field) => field.value)].join("\\n")`;

/** Seals `text` and returns the link, as it stands on the page. */
export async function createLink(browser: Browser, address: string, text: string): Promise<string> {
  return inFreshPage(browser, async (page) => {
    await page.goto(address);
    await page.getByLabel("Secret", { exact: true }).fill(text);
    await page.getByRole("button", { name: "Create link" }).click();
    await page.getByRole("heading", { name: "Your link is ready" }).waitFor();
    const found = /https?:\/\/\S+\/s#[A-Za-z0-9_-]{48}/.exec(await page.evaluate<string>(readable))?.[0];
    if (found === undefined) throw new Error("The page that should show a link shows none.");
    return found;
  });
}

/** Opens the link as its recipient and returns everything that is then on the page. */
export async function openLink(browser: Browser, link: string): Promise<string> {
  return inFreshPage(browser, async (page) => {
    await page.goto(link);
    await page.getByRole("button", { name: "Open secret" }).click();
    await page.getByRole("heading", { name: "Here's your secret" }).waitFor();
    return page.evaluate<string>(readable);
  });
}

/** What the page behind a link says once it knows that nothing can be opened any more. */
export async function endBehind(browser: Browser, link: string): Promise<string> {
  return inFreshPage(browser, async (page) => {
    await page.goto(link);
    await page
      .getByRole("heading", { name: /can't find this secret|already opened|lost|expired|deleted/i })
      .waitFor();
    return page.evaluate<string>(readable);
  });
}
