import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { makeZip } from "client-zip";
import type { Response } from "express";
import { wipe } from "../envelope/bytes.ts";
import { distinctFileNames, NAMELESS } from "../envelope/file-name.ts";
import type { UnsealedPart } from "../envelope/unseal.ts";

/** A file of a stranger's, as an address that the page carries in itself: plain bytes, to be saved only. */
export function hrefOf(bytes: Uint8Array): string {
  return `data:application/octet-stream;base64,${Buffer.from(bytes).toString("base64")}`;
}

/** The name under which a text lies among files. */
const TEXT_NAME = "secret.txt";

/** Sends everything as one ZIP, for which the form stays on screen. Each part is wiped when it is sent. */
export async function sendZip(response: Response, parts: readonly UnsealedPart[]): Promise<void> {
  const names = distinctFileNames(parts.map(({ kind, name }) => (kind === "text" ? TEXT_NAME : name)));
  function* files() {
    for (const [i, { bytes }] of parts.entries()) yield { name: names[i] ?? NAMELESS, input: bytes };
  }
  response.set({
    "Content-Type": "application/octet-stream",
    "Content-Disposition": 'attachment; filename="secret.zip"',
  });
  try {
    await pipeline(
      Readable.from(makeZip(files(), { buffersAreUTF8: true }), { objectMode: false }),
      response,
    );
  } finally {
    wipe(...parts.map(({ bytes }) => bytes));
  }
}
