import { parseEndState, unknownVersion } from "./redis-record.ts";
import type { ScriptReply } from "./redis-scripts.ts";
import type { Ended, Missing } from "./store.ts";

type Item = ScriptReply[number] | undefined;

export const MISSING: Missing = { kind: "missing" };

export const number = (item: Item) => Number(item ?? Number.NaN);
export const text = (item: Item) => String(item);

/** Throws `StoreUnavailableError` where the record is in another version's format. */
export function kindOf(reply: ScriptReply): string {
  const kind = text(reply[0]);
  if (kind === "version") throw unknownVersion();
  return kind;
}

export function ended(state: Item, at: Item): Ended {
  return { kind: "ended", state: parseEndState(text(state)), endedAt: number(at) };
}

/** The same memory: ioredis sends a Buffer's bytes, and would send any other array's text. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** For what only tidies up: Redis' own times to live do the same a little later. */
export async function quietly(...acts: readonly Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(acts);
}
