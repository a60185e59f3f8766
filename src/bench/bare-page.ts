import type { Browser, CDPSession } from "playwright-core";

/**
 * A page that nobody watches. Playwright follows every request of its own pages, the bytes of each body
 * included, which makes an upload several times slower than it is for a person.
 */
export interface BarePage {
  /** The value that this expression, perhaps a promise, comes to. */
  evaluate<T>(expression: string): Promise<T>;
  chooseFile(selector: string, path: string): Promise<void>;
  /** A person's own Enter on this element. */
  pressEnter(selector: string): Promise<void>;
}

interface Answer {
  readonly id?: number;
  readonly result?: { readonly result?: { readonly value?: unknown; readonly objectId?: string } };
  readonly error?: { readonly message: string };
}

export async function openBarePage(browser: Browser, url: string): Promise<BarePage> {
  const cdp: CDPSession = await browser.newBrowserCDPSession();
  // In a context that Playwright hasn't made, and so leaves alone.
  const { browserContextId } = await cdp.send("Target.createBrowserContext");
  const { targetId } = await cdp.send("Target.createTarget", { url: "about:blank", browserContextId });
  const { sessionId } = await cdp.send("Target.attachToTarget", { targetId, flatten: false });
  const waiting = new Map<number, (answer: Answer) => void>();
  cdp.on("Target.receivedMessageFromTarget", ({ message }) => {
    const answer: Answer = JSON.parse(message);
    if (answer.id !== undefined) waiting.get(answer.id)?.(answer);
  });
  let id = 0;
  async function send(method: string, params: object = {}): Promise<Answer> {
    id += 1;
    const answer = new Promise<Answer>((resolve) => waiting.set(id, resolve));
    const message = JSON.stringify({ id, method, params });
    await cdp.send("Target.sendMessageToTarget", { sessionId, message });
    const { error, ...rest } = await answer;
    if (error) throw new Error(`${method}: ${error.message}`);
    return rest;
  }
  const run = (expression: string, returnByValue: boolean) =>
    send("Runtime.evaluate", { expression, returnByValue, awaitPromise: true, userGesture: true });

  const page: BarePage = {
    async evaluate<T>(expression: string) {
      return (await run(expression, true)).result?.result?.value as T;
    },
    async chooseFile(selector, path) {
      const { result } = await run(`document.querySelector(${JSON.stringify(selector)})`, false);
      await send("DOM.setFileInputFiles", { files: [path], objectId: result?.result?.objectId });
    },
    async pressEnter(selector) {
      await page.evaluate(`document.querySelector(${JSON.stringify(selector)}).focus()`);
      const key = { key: "Enter", code: "Enter", windowsVirtualKeyCode: 13, text: "\r" };
      await send("Input.dispatchKeyEvent", { type: "keyDown", ...key });
      await send("Input.dispatchKeyEvent", { type: "keyUp", ...key });
    },
  };
  await send("Page.enable");
  await send("Page.navigate", { url });
  await page.evaluate(
    "new Promise((done) => document.readyState === 'complete' ? done() : addEventListener('load', done))",
  );
  return page;
}
