import type { Request } from "express";
import { invalid, Problem } from "./problem.ts";

/**
 * The whole body, at most `limit` bytes of it, in a Buffer that is the caller's to overwrite. The pieces
 * that it came in are overwritten here. Bodies are never inflated: a few bytes could become any
 * number. Rejects with a Problem once there is nothing more to come.
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
  try {
    await new Promise<void>((resolve, reject) => {
      req.on("data", (piece: Buffer) => {
        length += piece.length;
        pieces.push(piece);
        if (length > limit) forget();
      });
      req.once("end", resolve);
      const cut = () => reject(invalid("The body ended too early."));
      req.once("error", cut);
      req.once("close", cut); // after "end" it changes nothing
    });
    if (length > limit) throw new Problem("too-large", "The body is larger than this request may be.");
    // Not from the pool that small Buffers share, which outlives them.
    const body = Buffer.allocUnsafeSlow(length);
    let at = 0;
    for (const piece of pieces) at += piece.copy(body, at);
    return body;
  } finally {
    forget();
  }
}

/** Whether there is a body to read, be it an empty one (RFC 9112, section 6.3). */
export function hasBody(req: Request): boolean {
  return req.get("Content-Length") !== undefined || req.get("Transfer-Encoding") !== undefined;
}
