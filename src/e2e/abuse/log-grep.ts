import { createReadStream } from "node:fs";
import { type Needles, spellings } from "../../testing/every-flow.ts";

/** Bytes that a spelling is recognised by; nothing shorter is looked for. */
const WINDOW = 8;
const FILTER_BITS = 24;

function fingerprint(low: number, high: number): number {
  return (Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b)) >>> (32 - FILTER_BITS);
}

/**
 * Looks for every spelling of thousands of needles at once, in one pass over a text of any length:
 * eight bytes at each position go through a bit filter, and what passes is compared in full.
 */
export function createGrep(needles: Needles) {
  const filter = new Uint8Array(2 ** (FILTER_BITS - 3));
  const byStart = new Map<string, { name: string; spelling: Buffer }[]>();
  let longest = WINDOW;
  for (const [name, bytes] of needles) {
    for (const text of new Set(spellings(bytes))) {
      const spelling = Buffer.from(text, "utf8");
      if (spelling.length < WINDOW) continue;
      longest = Math.max(longest, spelling.length);
      const start = spelling.toString("latin1", 0, WINDOW);
      const known = byStart.get(start);
      if (known) known.push({ name, spelling });
      else byStart.set(start, [{ name, spelling }]);
      const bit = fingerprint(spelling.readUInt32LE(0), spelling.readUInt32LE(4));
      filter[bit >> 3] = (filter[bit >> 3] ?? 0) | (1 << (bit & 7));
    }
  }

  function search(text: Buffer, end: number, found: Map<string, number>): void {
    // The eight bytes from `i` on, as two little-endian numbers.
    let low = 0;
    let high = 0;
    for (let i = 1 - WINDOW; i < end && i + WINDOW <= text.length; i++) {
      low = (low >>> 8) | (high << 24);
      high = (high >>> 8) | ((text[i + WINDOW - 1] ?? 0) << 24);
      if (i < 0) continue;
      const bit = fingerprint(low, high);
      if (((filter[bit >> 3] ?? 0) & (1 << (bit & 7))) === 0) continue;
      for (const { name, spelling } of byStart.get(text.toString("latin1", i, i + WINDOW)) ?? []) {
        if (text.subarray(i, i + spelling.length).equals(spelling)) {
          found.set(name, (found.get(name) ?? 0) + 1);
        }
      }
    }
  }

  return {
    /** How many spellings are looked for. */
    spellings: [...byStart.values()].reduce((sum, list) => sum + list.length, 0),
    /** Needles by name with how often they stand in the file, and the file's length in bytes. */
    async file(path: string): Promise<{ found: Map<string, number>; bytes: number }> {
      const found = new Map<string, number>();
      let kept = Buffer.alloc(0);
      let bytes = 0;
      for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 22 })) {
        bytes += chunk.length;
        const text = Buffer.concat([kept, chunk]);
        // What may go on in the next piece is looked at with it, and only then.
        const end = Math.max(0, text.length - longest);
        search(text, end, found);
        kept = text.subarray(end);
      }
      search(kept, kept.length, found);
      return { found, bytes };
    },
  };
}
