import type { Request } from "express";
import { Problem } from "./problem.ts";

/** Both ends included, as in Content-Range. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The one range asked for, or undefined for the whole: where none is asked for, where the header is
 * not understood or asks for several (RFC 9110, section 14.2, allows to ignore it), and where
 * If-Range names a validator, for we give out none (section 13.1.5). 416 where nothing is inside.
 */
export function parseByteRange(req: Request, length: number): ByteRange | undefined {
  if (req.get("Range") === undefined || req.get("If-Range") !== undefined) return undefined;
  const ranges = req.range(length);
  if (ranges === -1) {
    throw new Problem("range", `The content has ${length} bytes. Ask for bytes below that.`, {
      headers: { "Content-Range": `bytes */${length}` },
    });
  }
  if (!Array.isArray(ranges) || ranges.type !== "bytes" || ranges.length !== 1) return undefined;
  const [range] = ranges;
  return range;
}
