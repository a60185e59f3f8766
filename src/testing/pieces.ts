import assert from "node:assert/strict";
import type { SecretId } from "../envelope/tokens.ts";
import type { ByteSpan, Store } from "../store/store.ts";

/** From 0 to `size`, in pieces of `length`. */
export function cut(size: number, length: number): ByteSpan[] {
  return Array.from({ length: Math.ceil(size / length) }, (_, index) => ({
    start: index * length,
    end: Math.min(size, (index + 1) * length),
  }));
}

/** Sends these pieces of a blob, one after the other, and fails where one isn't taken. */
export async function sendPieces(
  store: Store,
  id: SecretId,
  blob: Uint8Array,
  spans: readonly ByteSpan[],
): Promise<void> {
  for (const { start, end } of spans) {
    const result = await store.writeBlob(id, start, blob.subarray(start, end));
    assert.equal(result.kind, "written");
  }
}
