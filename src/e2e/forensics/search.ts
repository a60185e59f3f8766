import { type Marker, type MarkerKind, type Pattern, patternsOf } from "./markers.ts";

/** One place in the searched bytes where a piece of a marker stands. */
export interface Hit extends Pattern {
  /** What stands around it, for whoever wants to know what kept it. */
  readonly around: string;
}

export interface Finds {
  /** How many secrets left something of this kind. */
  count(kind: MarkerKind): number;
  /** One for each secret, kind and form. */
  readonly hits: readonly Hit[];
}

export interface Search {
  /** Looks through a piece. Pieces that follow each other overlap by `overlap` bytes. */
  look(bytes: Buffer, where?: string): void;
  finds(): Finds;
}

export type Searcher = { readonly overlap: number; begin(): Search };

const printable = (bytes: Buffer) => bytes.toString("latin1").replace(/[^\x20-\x7e]/g, ".");

/**
 * Searches for thousands of patterns in one pass: the first two bytes decide whether the next two
 * are looked at, and those whether anything is compared.
 */
export function createSearcher(markers: readonly Marker[]): Searcher {
  const patterns = markers.flatMap(patternsOf);
  const begins = new Uint8Array(65_536);
  const byStart = new Map<number, Pattern[]>();
  for (const pattern of patterns) {
    const start = pattern.bytes.readUInt32LE(0);
    begins[start & 0xffff] = 1;
    byStart.set(start, [...(byStart.get(start) ?? []), pattern]);
  }
  const overlap = Math.max(0, ...patterns.map(({ bytes }) => bytes.length));

  function begin(): Search {
    const hits = new Map<string, Hit>();
    function compare(bytes: Buffer, at: number, where: string): void {
      for (const pattern of byStart.get(bytes.readUInt32LE(at)) ?? []) {
        const { marker, form } = pattern;
        const name = `${marker.kind} ${marker.secret} ${form}`;
        // What the piece cuts off stands whole in the next one.
        if (hits.has(name) || at + pattern.bytes.length > bytes.length) continue;
        if (bytes.compare(pattern.bytes, 0, pattern.bytes.length, at, at + pattern.bytes.length) !== 0)
          continue;
        const around = `${where}: ${printable(bytes.subarray(Math.max(0, at - 96), at + 96))}`;
        hits.set(name, { ...pattern, around });
      }
    }
    return {
      look(bytes, where = "") {
        const last = bytes.length - 4;
        for (let at = 0; at <= last; at++) {
          const low = bytes[at] as number;
          const high = bytes[at + 1] as number;
          if (begins[low | (high << 8)] === 1) compare(bytes, at, where);
        }
      },
      finds() {
        const all = [...hits.values()];
        return {
          hits: all,
          count: (kind) =>
            new Set(all.filter(({ marker }) => marker.kind === kind).map(({ marker }) => marker.secret)).size,
        };
      },
    };
  }
  return { overlap, begin };
}
