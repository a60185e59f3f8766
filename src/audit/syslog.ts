import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Logger } from "pino";
import type { SyslogReceiver } from "../config/config.ts";
import { frame } from "./syslog-message.ts";
import type { Trail } from "./trail.ts";

export interface SyslogOptions extends SyslogReceiver {
  readonly trail: Trail;
  readonly log: Logger;
  /** Lines that wait while the receiver is away or slow; what comes after is dropped and counted. */
  readonly capacity?: number;
  /** Milliseconds in which a line must be on its way, and a connection made. */
  readonly patience?: number;
  /** Milliseconds until the first new try; it doubles from there up to half a minute. */
  readonly firstRetry?: number;
  /** Called for each line that is dropped. */
  readonly onDropped?: () => void;
}

export interface Syslog {
  /** Resolves when all is sent, which may be never. */
  flush(): Promise<void>;
  /** How many lines are not sent yet. */
  waiting(): number;
  close(): void;
}

const LONGEST_RETRY = 30_000;
/** A connection that held for this many of the first waits is one that works. */
const STEADY = 40;

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}

/**
 * Sends every line of the trail, from now on, to a syslog receiver. Nothing waits for it and nothing
 * fails with it. A line counts as sent when the system has taken it, for syslog has no answers: what a
 * connection loses from there on shows at the receiver as a gap in the chain. How many lines were dropped
 * is written to the trail when there is room again, so the chain itself says it.
 */
export function createSyslog(options: SyslogOptions): Syslog {
  const { host, port, tls, ca, trail, log } = options;
  const { capacity = 10_000, patience = 30_000, firstRetry = 250, onDropped } = options;
  let waiting: Buffer[] = [];
  let dropped = 0;
  let socket: Socket | undefined;
  let ready = false;
  let sending = false;
  let retry = firstRetry;
  let since = 0;
  let away = false;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let flushed: (() => void)[] = [];

  function connect(): void {
    const servername = isIP(host) === 0 ? { servername: host } : {};
    const current = tls
      ? connectTls({
          host,
          port,
          rejectUnauthorized: true,
          ...servername,
          ...(ca === undefined ? {} : { ca }),
        })
      : connectTcp({ host, port });
    socket = current;
    let reason = "ECLOSED";
    current.setTimeout(patience);
    current.unref();
    // What a receiver says means nothing; that it hangs up is only seen by who reads.
    current.resume();
    current.once(tls ? "secureConnect" : "connect", () => {
      current.setTimeout(0);
      current.setKeepAlive(true, patience);
      ready = true;
      since = performance.now();
      if (away) log.info("the syslog receiver is back");
      away = false;
      sendNext();
    });
    current.on("timeout", () => current.destroy(Object.assign(new Error(), { code: "ETIMEDOUT" })));
    current.on("error", (error) => {
      reason = codeOf(error);
    });
    current.once("close", () => {
      // One that accepts and hangs up again and again would swallow a line each time.
      if (ready && performance.now() - since > firstRetry * STEADY) retry = firstRetry;
      ready = sending = false;
      if (closed) return;
      if (!away) log.warn({ reason }, "the syslog receiver is away; trying again and again");
      away = true;
      timer = setTimeout(connect, retry + Math.random() * retry * 0.1);
      timer.unref();
      retry = Math.min(retry * 2, LONGEST_RETRY);
    });
  }

  /** One at a time: a line of which the system has not taken all is sent again on the next connection. */
  function sendNext(): void {
    const [message] = waiting;
    if (message === undefined) {
      for (const resolve of flushed.splice(0)) resolve();
      return;
    }
    if (!ready || sending || socket === undefined) return;
    const current = socket;
    sending = true;
    current.setTimeout(patience);
    current.write(message, (error) => {
      if (error || current !== socket) return;
      current.setTimeout(0);
      sending = false;
      waiting.shift();
      tellDropped();
      sendNext();
    });
  }

  /** When half of the room is free again, so that saying it does not itself get dropped. */
  function tellDropped(): void {
    if (dropped === 0 || waiting.length > capacity / 2) return;
    const count = dropped;
    dropped = 0;
    trail.write({ audit: "syslog-dropped", dropped: count });
  }

  trail.follow((line, form) => {
    if (closed) return;
    if (waiting.length >= capacity) {
      dropped++;
      onDropped?.();
    } else {
      waiting.push(frame(line, form));
      sendNext();
    }
  });
  connect();

  return {
    flush: () =>
      new Promise((resolve) => {
        if (waiting.length === 0) resolve();
        else flushed.push(resolve);
      }),
    waiting: () => waiting.length,
    close() {
      closed = true;
      clearTimeout(timer);
      // A receiver that takes nothing any more must not keep the end from coming.
      if (waiting.length === 0) socket?.end();
      else socket?.destroy();
      waiting = [];
      flushed = [];
    },
  };
}
