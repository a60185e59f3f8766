import { type Ciphertext, type SecretId, storedCiphertext } from "../envelope/tokens.ts";
import { ask } from "./redis-faults.ts";
import { blobKey, blockKey, recordKey } from "./redis-keys.ts";
import type { RedisParts } from "./redis-parts.ts";
import { assertReadable } from "./store.ts";

/**
 * Native commands, because Lua copies what it touches. A block that is read whole is read with GET:
 * a Redis user that may do no more than version 1 needed can still open all its secrets.
 */
async function readValue(
  { client }: RedisParts,
  key: string,
  length: number,
  start: number,
  end: number,
): Promise<Buffer | undefined> {
  const whole = start === 0 && end === length;
  const command = whole ? client.getBuffer(key) : client.getrangeBuffer(key, start, end - 1);
  const bytes = await ask(command);
  return bytes?.length === end - start ? bytes : undefined;
}

/** Undefined as soon as one byte of the range isn't there. */
export async function readBlob(
  parts: RedisParts,
  id: SecretId,
  start: number,
  end: number,
): Promise<Ciphertext | undefined> {
  assertReadable(start, end);
  const [state, ...numbers] = await ask(parts.client.hmget(recordKey(id), "state", "size", "block"));
  const [size = 0, block = 0] = numbers.map((text) => Number(text ?? 0));
  // Of one that was opened, the ciphertext's own time to live tells how long it may be fetched again: it
  // is cut when the share is lent.
  const readable = state === "sealed" || state === "locked" || state === "opened";
  if (!readable || end > size) return undefined;
  if (block === 0) {
    const bytes = await readValue(parts, blobKey(id), size, start, end);
    return bytes && storedCiphertext(new Uint8Array(bytes));
  }
  const pieces: Promise<Buffer | undefined>[] = [];
  for (let index = Math.floor(start / block); index * block < end; index++) {
    const first = index * block;
    const length = Math.min(block, size - first);
    const [from, to] = [Math.max(start - first, 0), Math.min(end - first, length)];
    pieces.push(readValue(parts, blockKey(id, index), length, from, to));
  }
  const bytes = new Uint8Array(end - start);
  let at = 0;
  for (const piece of await Promise.all(pieces)) {
    if (!piece) return undefined;
    bytes.set(piece, at);
    at += piece.length;
  }
  return storedCiphertext(bytes);
}
