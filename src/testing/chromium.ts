import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

/** Nothing that calls home, and nothing that needs a kernel feature containers lack. */
const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export interface ChromiumOptions {
  /**
   * Names that lead to 127.0.0.1. Unlike localhost they are no secure context over plain http, so a page
   * meets there what it meets on an intranet without TLS.
   */
  readonly names?: readonly string[];
  readonly args?: readonly string[];
}

/**
 * The system's Chromium without a window; the caller closes it. Contexts are what tests vary: script off,
 * dark, 320 px, offline. Throws with what to install where there is none.
 */
export async function launchChromium({ names = [], args = [] }: ChromiumOptions = {}): Promise<Browser> {
  const rules = names.map((name) => `MAP ${name} 127.0.0.1`).join(",");
  return chromium.launch({
    executablePath: findChromium(process.env.PATH),
    // A test process that is told to end ends, and its browser with it: see last-resort.mjs.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
    args: [...flags, ...(rules === "" ? [] : [`--host-resolver-rules=${rules}`]), ...args],
  });
}

/** The path of the program called chromium in one of the folders of `path`. */
export function findChromium(path = ""): string {
  for (const folder of path.split(delimiter).filter((name) => name !== "")) {
    const program = join(folder, "chromium");
    try {
      accessSync(program, constants.X_OK);
      return program;
    } catch {
      // Then perhaps in the next one.
    }
  }
  throw new Error("Chromium is not on the PATH. Install it: apt-get install chromium");
}
