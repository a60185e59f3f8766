import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Times are milliseconds. */
export interface PaceOptions {
  /** What a body, or an answer that waits for its reader, may take whatever its size. */
  readonly patience: number;
  /** Bytes that buy another second. */
  readonly bytesPerSecond: number;
}

/** What Node itself says to a request that took too long. */
const TIMEOUT_ANSWER = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n";

/**
 * Looks after one connection: `request` is told of each request, `check` called every now and then.
 * A body has some time, and more for every byte that has come (as Apache's mod_reqtimeout counts it): so
 * a slow line may send something large, and one byte a second buys nothing. An answer that the
 * connection can't take at once is looked at from patience to patience, since the system's buffers
 * swallow megabytes in no time; one that has nothing to send, as between two events of a stream, is
 * never late.
 */
export function createPace({ patience, bytesPerSecond }: PaceOptions) {
  let socket: Socket | undefined;
  let message: { req: IncomingMessage; res: ServerResponse; at: number; read: number } | undefined;
  let full: { at: number; sent: number } | undefined;

  const sentBy = (open: Socket) => open.bytesWritten - open.writableLength;

  return {
    request(req: IncomingMessage, res: ServerResponse, now: number): void {
      socket = req.socket;
      message = { req, res, at: now, read: socket.bytesRead };
    },
    /** Cuts the connection where it is. */
    check(now: number): void {
      if (!socket || socket.destroyed) return;
      if (socket.writableLength === 0) full = undefined;
      else full ??= { at: now, sent: sentBy(socket) };
      if (full && now - full.at > patience) {
        const sent = sentBy(socket) - full.sent;
        if (sent < ((now - full.at) / 1000) * bytesPerSecond) socket.destroy();
        full = { at: now, sent: sentBy(socket) };
      }
      if (!message || message.req.complete) return;
      const read = socket.bytesRead - message.read;
      if (now - message.at < patience + (read / bytesPerSecond) * 1000) return;
      if (socket.writable && !message.res.headersSent) socket.write(TIMEOUT_ANSWER);
      socket.destroy();
    },
  };
}
