import type { Request } from "express";
import { invalid, Problem } from "./problem.ts";

/** Bytes that are read beyond the limit, or as many as the limit where that is more. */
const SURPLUS = 65_536;

/**
 * The whole body, at most `limit` bytes of it, in a Buffer that is the caller's to overwrite. The pieces
 * that it came in are overwritten here. Bodies are never inflated: a few bytes could become any
 * number. Rejects with a Problem: of a body that is too large only so much is read that a client which
 * sends it all before it reads the answer gets one; the connection is closed after that.
 */
export async function readBody(req: Request, limit: number): Promise<Buffer> {
  if (!/^identity$/i.test(req.get("Content-Encoding") ?? "identity")) {
    throw invalid("Send the body without a Content-Encoding.");
  }
  const pieces: Buffer[] = [];
  let length = 0;
  const forget = () => {
    for (const piece of pieces.splice(0)) piece.fill(0);
  };
  const most = limit + Math.max(limit, SURPLUS);
  try {
    await new Promise<void>((resolve, reject) => {
      req.on("data", (piece: Buffer) => {
        length += piece.length;
        pieces.push(piece);
        if (length > limit) forget();
        if (length > most) reject(tooLarge({ Connection: "close" }));
      });
      req.once("end", resolve);
      const cut = () => reject(invalid("The body ended too early."));
      req.once("error", cut);
      if (req.destroyed) cut();
      req.once("close", cut); // after "end" it changes nothing
    });
    if (length > limit) throw tooLarge();
    // Not from the pool that small Buffers share, which outlives them.
    const body = Buffer.allocUnsafeSlow(length);
    let at = 0;
    for (const piece of pieces) at += piece.copy(body, at);
    return body;
  } finally {
    forget();
  }
}

function tooLarge(headers: Record<string, string> = {}): Problem {
  return new Problem("too-large", "The body is larger than this request may be.", { headers });
}

/** Whether there is a body to read, be it an empty one (RFC 9112, section 6.3). */
export function hasBody(req: Request): boolean {
  return req.get("Content-Length") !== undefined || req.get("Transfer-Encoding") !== undefined;
}
