import { type ByteSpan, MAX_HELD_SPANS, type UploadProgress } from "./store.ts";

/** In order, without touching each other. write-block.lua does the same with the text of it. */
export type HeldSpans = readonly ByteSpan[];

export interface Held {
  readonly held: HeldSpans;
  /** What of the piece was not held before, in order. */
  readonly gaps: HeldSpans;
}

/** Adds a piece to what is held; undefined where that would be too many separate spans. */
export function hold(spans: HeldSpans, piece: ByteSpan): Held | undefined {
  if (piece.start === piece.end) return { held: spans, gaps: [] };
  const gaps: ByteSpan[] = [];
  let { start, end } = piece;
  let at = start;
  const touching = spans.filter((span) => span.end >= piece.start && span.start <= piece.end);
  for (const span of touching) {
    if (span.start > at) gaps.push({ start: at, end: span.start });
    at = Math.max(at, span.end);
    start = Math.min(start, span.start);
    end = Math.max(end, span.end);
  }
  if (at < piece.end) gaps.push({ start: at, end: piece.end });
  const before = spans.filter((span) => span.end < piece.start);
  const after = spans.filter((span) => span.start > piece.end);
  const held = [...before, { start, end }, ...after];
  return held.length > MAX_HELD_SPANS ? undefined : { held, gaps };
}

export function progressOf(spans: HeldSpans, size: number): UploadProgress {
  const missing: ByteSpan[] = [];
  let received = 0;
  let at = 0;
  for (const { start, end } of spans) {
    if (start > at) missing.push({ start: at, end: start });
    received += end - start;
    at = end;
  }
  if (at < size) missing.push({ start: at, end: size });
  return { received, missing };
}

/** As a Redis record writes it: `0-10,20-30`, ends not included. Throws a TypeError for anything else. */
export function parseHeldSpans(text: string): HeldSpans {
  if (text === "") return [];
  return text.split(",").map((span) => {
    const [, start, end] = /^(\d+)-(\d+)$/.exec(span) ?? [];
    if (start === undefined || end === undefined) throw new TypeError("A record's spans are not readable.");
    return { start: Number(start), end: Number(end) };
  });
}
