import type { Request } from "express";
import type { ByteSpan } from "../store/store.ts";
import { invalid } from "./problem.ts";

/** "bytes 0-1023/4096" (RFC 9110, section 14.4), with a size that is known. */
const CONTENT_RANGE = /^bytes (0|[1-9][0-9]{0,14})-(0|[1-9][0-9]{0,14})\/(0|[1-9][0-9]{0,14})$/;

/** Where the body belongs in a content of `size` bytes. Throws `invalid` for anything else. */
export function parseContentRange(req: Request, size: number): ByteSpan {
  const [, first, last, total] = CONTENT_RANGE.exec(req.get("Content-Range") ?? "") ?? [];
  if (first === undefined || last === undefined || total === undefined) {
    throw invalid(`Say where the part belongs: Content-Range: bytes first-last/${size}.`);
  }
  if (Number(total) !== size) throw invalid(`This secret was announced with ${size} bytes. Send that size.`);
  const span = { start: Number(first), end: Number(last) + 1 };
  if (span.start >= span.end || span.end > size) {
    throw invalid(`The range lies outside of the ${size} bytes that were announced.`);
  }
  const length = req.get("Content-Length");
  if (length !== undefined && Number(length) !== span.end - span.start) {
    throw invalid(`The range has ${span.end - span.start} bytes, the body has ${length}. Send as many.`);
  }
  return span;
}
