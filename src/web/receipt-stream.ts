import { createHash } from "node:crypto";
import type { Response } from "express";
import type { SecretRecord } from "../store/store.ts";
import { onceOver } from "./once-over.ts";
import { describeReceipt } from "./secret-state.ts";

/** Milliseconds throughout. */
export interface ReceiptStreamOptions {
  readonly res: Response;
  /** The record as of now; undefined once it is forgotten. */
  readonly read: () => Promise<SecretRecord | undefined>;
  /** The last event that the reader has, by its own account. */
  readonly lastEventId: string | undefined;
  /** After an opening its reader may still say for so long that it has arrived. */
  readonly arrival: number;
  /** Between two signs of life, at each of which the record is read: a hint may have been lost. */
  readonly heartbeat: number;
}

export interface ReceiptStream {
  /** It may have changed. However often that is said, one read is under way at a time. */
  look(): void;
  /** Resolves when nothing more is written. */
  readonly over: Promise<void>;
  end(): void;
}

/** What a browser that does not know better waits until it connects anew. */
const RETRY = 2_000;
/** Bytes that may wait for their reader; the system's buffers hold some hundred thousand more. */
const MAX_UNREAD = 65_536;

/** Tells one state from another; says nothing to who doesn't have it. */
const digestOf = (json: string) => createHash("sha256").update(json).digest("base64url").slice(0, 16);

/** Whether nothing can follow: only the arrival of what was opened comes after an end. */
export function isFinal({ endedAt, state, events }: SecretRecord, arrival: number): boolean {
  if (endedAt === undefined) return false;
  return state !== "opened" || arrival === 0 || events.some(({ kind }) => kind === "received");
}

export function eventIdOf(record: SecretRecord): string {
  return digestOf(JSON.stringify(describeReceipt(record)));
}

/** Writes a receipt to an event stream, and again whenever it has changed (HTML, section 9.2). */
export function startReceiptStream(options: ReceiptStreamOptions): ReceiptStream {
  const { res, read, arrival, heartbeat } = options;
  let told = options.lastEventId;
  let looking = false;
  let again = false;
  let isOver = false;
  let lingering: NodeJS.Timeout | undefined;
  let beat: NodeJS.Timeout | undefined;

  const over = new Promise<void>((resolve) => {
    onceOver(res, () => {
      isOver = true;
      clearInterval(beat);
      clearTimeout(lingering);
      resolve();
    });
  });

  function write(text: string): void {
    if (isOver || res.writableEnded) return;
    // Whoever doesn't read what they asked for is let go, and may ask again.
    if (res.writableLength > MAX_UNREAD) res.destroy();
    else res.write(text);
  }

  function end(): void {
    if (!res.writableEnded) res.end();
  }

  function tell(record: SecretRecord): void {
    const json = JSON.stringify(describeReceipt(record));
    const id = digestOf(json);
    if (id !== told) write(`event: receipt\nid: ${id}\ndata: ${json}\n\n`);
    told = id;
    if (isFinal(record, arrival)) end();
    else if (record.endedAt !== undefined) lingering ??= setTimeout(end, arrival).unref();
  }

  async function look(): Promise<void> {
    again = true;
    if (looking) return;
    looking = true;
    while (again && !isOver) {
      again = false;
      try {
        const record = await read();
        if (isOver) break;
        if (record) tell(record);
        else end();
      } catch {
        // The store is away, and says so itself. The next sign of life is the next look.
      }
    }
    looking = false;
  }

  if (!isOver) {
    beat = setInterval(() => {
      write(":\n\n");
      void look();
    }, heartbeat).unref();
  }
  res.set({ "Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no" });
  // At once: what buffers on the way shows by its silence.
  write(`retry: ${RETRY}\n:\n\n`);
  void look();
  return { look: () => void look(), over, end };
}
