/** What the envelope's tests share. */
import assert from "node:assert/strict";
import { type Bytes, concat } from "./bytes.ts";
import { UnreadableError } from "./errors.ts";
import { type AccessKeys, deriveLinkKeys, type PassphraseHash } from "./keys.ts";
import { createLinkSecret, type LinkSecret } from "./link.ts";
import { encodeMeta, type Part, type PartDescription } from "./parts.ts";
import { gather, sealParts } from "./seal.ts";
import { SUITE_PLAIN } from "./suite.ts";
import { createShare, type Share } from "./tokens.ts";
import { type Unsealed, unseal } from "./unseal.ts";

/** Stands where a test isn't about Argon2id: it says who was hashed, and costs nothing. */
export const cheapHash: PassphraseHash = async (passphrase, salt) =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", concat(salt, passphrase)));

export const noHash: PassphraseHash = () => Promise.reject(new Error("No passphrase, no hash."));

export interface Sealer {
  readonly link: LinkSecret;
  readonly keys: AccessKeys;
  readonly share: Share;
}

/** A fresh link without passphrase, or the keys of the given one. */
export async function makeSealer(link = createLinkSecret(SUITE_PLAIN), passphrase?: string): Promise<Sealer> {
  const linkKeys = await deriveLinkKeys(link);
  return { link, keys: await linkKeys.unlock(passphrase, cheapHash), share: createShare() };
}

export function filePart(content: Uint8Array, name?: string, type?: string): Part {
  return {
    kind: "file",
    ...(name === undefined ? {} : { name }),
    ...(type === undefined ? {} : { type }),
    size: content.length,
    content,
  };
}

/** A nameless file that makes 4 + meta + data exactly `length` bytes. */
export function fillingPart(length: number, byteAt: (index: number) => number = (i) => i % 251): Part {
  for (let size = length; size >= 0; size--) {
    if (4 + encodeMeta([{ kind: "file", size }]).length + size === length) {
      return filePart(Uint8Array.from({ length: size }, (_, i) => byteAt(i)));
    }
  }
  throw new Error(`No file makes a content of ${length} bytes.`);
}

/** The bytes in pieces of these lengths, from the first again after the last. */
export async function* cut(bytes: Uint8Array, lengths: readonly number[] = [bytes.length]) {
  const cycle = lengths.some((length) => length > 0) ? lengths : [1];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = cycle[turn % cycle.length] ?? 0;
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

export function sealToBlob({ keys, share }: Sealer, parts: readonly Part[]): Promise<Bytes> {
  return gather(sealParts(keys, share, parts));
}

export interface Opened {
  readonly parts: readonly PartDescription[];
  readonly contents: readonly Bytes[];
}

export async function collect(pieces: AsyncIterable<Unsealed>): Promise<Opened> {
  let parts: readonly PartDescription[] = [];
  let contents: Bytes[][] = [];
  for await (const piece of pieces) {
    if (piece.kind === "parts") {
      parts = piece.parts;
      contents = parts.map(() => []);
    } else contents[piece.part]?.push(piece.bytes);
  }
  return { parts, contents: contents.map((list) => concat(...list)) };
}

export function open(
  { keys, share }: Pick<Sealer, "keys" | "share">,
  blob: Uint8Array,
  cuts?: number[],
): Promise<Opened> {
  return collect(unseal(keys, share, cut(blob, cuts)));
}

const OPAQUE = new UnreadableError();

/** Rejected with the one error, telling nothing by its text, its code, its properties or a cause. */
export async function expectUnreadable(attempt: Promise<unknown>, what: string): Promise<void> {
  const error: unknown = await attempt.then(
    () => undefined,
    (reason) => reason,
  );
  assert.ok(error instanceof UnreadableError, `${what}: ${error ?? "was opened"}`);
  assert.equal(error.message, OPAQUE.message, what);
  assert.deepEqual(Object.getOwnPropertyNames(error).sort(), Object.getOwnPropertyNames(OPAQUE).sort(), what);
  assert.deepEqual({ ...error }, { ...OPAQUE }, what);
}
