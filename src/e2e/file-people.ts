/** People who send files and receive them, each with a browser window. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import type { Part } from "../envelope/parts.ts";

/** A file as a person has it on the disk. */
export interface SentFile {
  readonly name: string;
  /** Empty: unknown. */
  readonly mimeType: string;
  readonly buffer: Buffer;
}

/** Bytes that repeat nowhere in a way that a mix-up of chunks would hide. */
export function noise(size: number, seed = 0): Buffer {
  const bytes = Buffer.alloc(size);
  for (let i = 0, state = seed + 1; i < size; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[i] = state >>> 16;
  }
  return bytes;
}

export function file(name: string, size: number, mimeType = ""): SentFile {
  return { name, mimeType, buffer: noise(size, size + name.length) };
}

/** The same for whoever seals without a browser. */
export function filePart(name: string | undefined, content: Uint8Array, type?: string): Part {
  const described = { ...(name === undefined ? {} : { name }), ...(type === undefined ? {} : { type }) };
  return { kind: "file", ...described, size: content.length, content };
}

export const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

export const heading = (page: Page, name: string | RegExp) =>
  page.getByRole("heading", { name, exact: true });

/** As if they were chosen in the window that the button opens. */
export async function addFiles(page: Page, files: readonly SentFile[]): Promise<void> {
  const rows = page.locator("#files li");
  const before = await rows.count();
  await page.locator("#file-input").setInputFiles([...files]);
  await rows.nth(before + files.length - 1).waitFor();
}

/** The link, once all has arrived. */
export async function createLink(page: Page): Promise<string> {
  await page.getByRole("button", { name: "Create link" }).click();
  await heading(page, "Your link is ready").waitFor({ timeout: 120_000 });
  return page.locator("#link").inputValue();
}

/**
 * Without the File System Access API, as in Firefox and Safari: a headless browser shows no window in
 * which somebody could choose a place.
 */
export async function withoutPicker(page: Page): Promise<void> {
  await page.addInitScript(() => {
    Reflect.deleteProperty(globalThis, "showSaveFilePicker");
  });
}

export async function openLink(page: Page, link: string): Promise<void> {
  await page.goto(link);
  await page.getByRole("button", { name: "Open secret" }).click();
  await heading(page, "Here's your secret").waitFor({ timeout: 120_000 });
}

/** Presses a button that saves; what arrives on the disk, and under which name. */
export async function saved(page: Page, button: string): Promise<{ name: string; bytes: Buffer }> {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: button, exact: true }).click(),
  ]);
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}
