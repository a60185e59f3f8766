import { timingSafeEqual } from "node:crypto";
import { Router } from "express";
import type { Changes } from "../store/changes.ts";
import { createAuthenticate, parseReceiptHolder } from "./bearer.ts";
import { addressOf } from "./limits.ts";
import type { Metrics } from "./metrics.ts";
import { Problem } from "./problem.ts";
import { eventIdOf, isFinal, type ReceiptStream, startReceiptStream } from "./receipt-stream.ts";
import type { RouteDeps } from "./route-deps.ts";
import { createStreamPlaces, STREAM_PLACES } from "./stream-places.ts";

export interface ReceiptEventsDeps extends Pick<RouteDeps, "audit" | "config" | "store"> {
  readonly changes: Pick<Changes, "watch">;
  readonly metrics: Pick<Metrics, "streams">;
  readonly isDraining: () => boolean;
}

/** Milliseconds: proxies give up what is silent for a minute, and some for half of that. */
const HEARTBEAT = 15_000;
/** Milliseconds by which what was received may be heard of later than the window ends. */
const ARRIVAL_SLACK = 5_000;
/** Milliseconds between two looks whether this process has been told to end, while there are streams. */
const DRAIN_LOOK = 100;

/** The receipt as an event stream, for whoever holds it. Uses nothing up. */
export function createReceiptEvents(deps: ReceiptEventsDeps): Router {
  const { config, store, changes, metrics, audit, isDraining } = deps;
  const router = Router({ caseSensitive: true, strict: true });
  const authenticate = createAuthenticate(store, audit);
  const places = createStreamPlaces(STREAM_PLACES);
  const arrival = config.redeliveryWindow === 0 ? 0 : config.redeliveryWindow * 1000 + ARRIVAL_SLACK;
  const streams = new Set<ReceiptStream>();
  let drainLook: NodeJS.Timeout | undefined;

  function endAllWhenDraining(): void {
    if (isDraining()) for (const stream of streams) stream.end();
  }

  function add(stream: ReceiptStream): void {
    streams.add(stream);
    metrics.streams.set(streams.size);
    drainLook ??= setInterval(endAllWhenDraining, DRAIN_LOOK).unref();
  }

  function remove(stream: ReceiptStream): void {
    streams.delete(stream);
    metrics.streams.set(streams.size);
    if (streams.size > 0) return;
    clearInterval(drainLook);
    drainLook = undefined;
  }

  router.get("/api/v1/receipt/events", async (req, res) => {
    const record = await authenticate(await parseReceiptHolder(req));
    const lastEventId = req.get("Last-Event-ID");
    // What a reader by the book (HTML, section 9.2.3) takes as the end of asking.
    if (isFinal(record, arrival) && lastEventId === eventIdOf(record)) return void res.status(204).end();
    if (isDraining()) {
      throw new Problem("unavailable", "This server is about to end. Ask again in a moment.", {
        headers: { "Retry-After": "1" },
      });
    }
    const giveBack = places.take(addressOf(req));
    const { id, receiptHash } = record;
    const stream = startReceiptStream({
      res,
      // Whoever made it anew after it was forgotten may have given it another receipt.
      async read() {
        const current = await store.read(id);
        return current && timingSafeEqual(current.receiptHash, receiptHash) ? current : undefined;
      },
      lastEventId,
      arrival,
      heartbeat: HEARTBEAT,
    });
    add(stream);
    const stop = changes.watch(id, stream.look);
    if (req.method === "HEAD") stream.end();
    await stream.over;
    stop();
    remove(stream);
    giveBack();
  });

  return router;
}
