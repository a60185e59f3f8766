import { randomBytes } from "node:crypto";
import type { Response } from "express";
import { allocate, type Bytes, concat, utf8, wipe } from "../envelope/bytes.ts";
import { onceOver } from "./once-over.ts";

/** Bytes of UTF-8 that a page is to show, and the word that a template puts in their place. */
export interface ShownBytes {
  readonly word: string;
  readonly bytes: Uint8Array;
}

export function shownBytes(bytes: Uint8Array): ShownBytes {
  return { word: randomBytes(16).toString("hex"), bytes };
}

/** What Eta escapes, as it escapes it. */
const ESCAPED = new Map([..."&<>\"'"].map((sign) => [sign.charCodeAt(0), utf8(escapeOf(sign))]));

function escapeOf(sign: string): string {
  return { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" }[sign] ?? "&#39;";
}

/** Bytes outside of ASCII are never part of such a sign: UTF-8 stays what it is. */
export function escapeBytes(text: Uint8Array): Bytes {
  let length = 0;
  for (const byte of text) length += ESCAPED.get(byte)?.length ?? 1;
  const escaped = allocate(length);
  let at = 0;
  for (const byte of text) {
    const sign = ESCAPED.get(byte);
    if (sign) escaped.set(sign, at);
    else escaped[at] = byte;
    at += sign?.length ?? 1;
  }
  return escaped;
}

/**
 * Sends a rendered page with bytes in place of words, so that the page as a string never holds them,
 * and overwrites the page's bytes once they have been sent.
 */
export function sendPageBytes(response: Response, html: string, shown: readonly ShownBytes[]): void {
  const pieces: Bytes[] = [];
  const secrets: Bytes[] = [];
  let rest = html;
  for (const { word, bytes } of shown) {
    const at = rest.indexOf(word);
    if (at < 0) throw new Error("A template left out what it was to show.");
    const secret = escapeBytes(bytes);
    secrets.push(secret);
    pieces.push(utf8(rest.slice(0, at)), secret);
    rest = rest.slice(at + word.length);
  }
  const page = concat(...pieces, utf8(rest));
  wipe(...secrets);
  onceOver(response, () => wipe(page));
  response.set("Content-Length", String(page.length));
  response.end(page);
}
