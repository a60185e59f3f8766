import type { Bytes } from "../envelope/bytes.ts";
import type { Terms, UploadView } from "./api.ts";
import type { Progress } from "./progress.ts";
import { createRetry, type Retry } from "./retry.ts";
import type { Contents, SealAnswer, SealedKeys, SealRequest } from "./seal-worker.ts";

/**
 * What the page's script hands over. This code is loaded when it is first needed, and imports nothing
 * at run time that the page's script holds too: the build would move that into a third file, which
 * every first load of the page would then wait for.
 */
export type UploadTools = Pick<
  typeof import("./api.ts"),
  "createSecret" | "writePart" | "readReceipt" | "deleteSecret" | "mayPass"
> & {
  readonly startWorker: () => Worker;
  /** An error whose message is meant for people. */
  readonly failure: (message: string) => Error;
};

/** One secret on its way to the server. `send` may be called again after it has failed, and goes on. */
export interface Upload {
  /** `progress` counts the bytes that the server has acknowledged. */
  send(progress: Progress, signal: AbortSignal): Promise<SealedKeys & { readonly expiresAt: string }>;
  /** Ends the worker and, where there is something, deletes it from the server. */
  discard(): void;
}

interface HeldPart {
  readonly start: number;
  readonly bytes: Bytes;
}

const KiB = 1024;
const MIN_PART = 256 * KiB;
const FIRST_PART = 1024 * KiB;
/** Two parts are held at most: the one being sent, and the next, which is sealed meanwhile. */
const MAX_PART = 4096 * KiB;
/** Milliseconds that a part ought to take: more would make a slow line's progress bar stand still. */
const PART_TIME = 4_000;

const GIVEN_UP = "The server gave it up before it was whole. Try again.";

/** Of these the recipient can have something; of what is expired, deleted or lost, never. */
const isWhole = ({ state }: UploadView) => state === "sealed" || state === "locked";

const lengthOf = (parts: readonly HeldPart[]) => parts.reduce((sum, { bytes }) => sum + bytes.length, 0);

/** What of a part the server lacks. `missing` may leave out what comes later; that isn't ours then. */
function lacking(part: HeldPart, missing: UploadView["missing"] = []): HeldPart[] {
  return missing.flatMap(([first, last]) => {
    const start = Math.max(first, part.start);
    const end = Math.min(last + 1, part.start + part.bytes.length);
    return start < end ? [{ start, bytes: part.bytes.subarray(start - part.start, end - part.start) }] : [];
  });
}

function createSealer({ startWorker, failure }: UploadTools) {
  const worker = startWorker();
  const ask = (request: SealRequest) =>
    new Promise<SealAnswer>((resolve, reject) => {
      const fail = (message: string) => reject(failure(message));
      worker.onmessage = ({ data }: MessageEvent<SealAnswer>) =>
        data.kind === "failed" ? fail(data.message) : resolve(data);
      worker.onerror = () => fail("The code for encrypting couldn't be loaded. Nothing was sent. Try again.");
      worker.postMessage(request);
    });
  return {
    async prepare(contents: Contents): Promise<SealedKeys> {
      const answer = await ask({ kind: "prepare", contents });
      if (answer.kind !== "prepared") throw new TypeError(answer.kind);
      return answer.keys;
    },
    async next(length: number): Promise<Bytes> {
      const answer = await ask({ kind: "next", length });
      if (answer.kind !== "bytes") throw new TypeError(answer.kind);
      return answer.bytes;
    },
    end: () => worker.terminate(),
  };
}

/** Asks until an answer comes. */
async function persist<T>(retry: Retry, request: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await request();
    } catch (error) {
      await retry.pause(error);
    }
  }
}

/**
 * Seals in a worker and sends in parts. A part is held until the server has acknowledged it, so that
 * after a lost connection the very same bytes go out again: nothing is ever encrypted twice, which with
 * a file that has changed meanwhile would be one nonce for two texts.
 */
export function createUpload(contents: Contents, terms: Terms, tools: UploadTools): Upload {
  const { createSecret, writePart, readReceipt, deleteSecret, mayPass, failure } = tools;
  const sealer = createSealer(tools);
  const queue: Promise<HeldPart>[] = [];
  let keys: SealedKeys | undefined;
  let begun = false;
  let sealedUpTo = 0;
  let partLength = FIRST_PART;

  function sealAnother(size: number): void {
    const start = sealedUpTo;
    const length = Math.min(partLength, size - start);
    if (length === 0) return;
    sealedUpTo += length;
    const part = sealer.next(length).then((bytes) => ({ start, bytes }));
    part.catch(() => undefined); // looked at when its turn comes
    queue.push(part);
  }

  function adapt(bytes: number, took: number): void {
    const fitting = (bytes / Math.max(1, took)) * PART_TIME;
    partLength = Math.min(MAX_PART, Math.max(MIN_PART, Math.floor(fitting / MIN_PART) * MIN_PART));
  }

  /** Until the server holds every byte of it, whatever happens to the line meanwhile; not where it gives up. */
  async function deliver(
    part: HeldPart,
    { receiptBearer, fields: { size } }: SealedKeys,
    retry: Retry,
    signal: AbortSignal,
  ): Promise<UploadView> {
    for (let todo = [part]; ; ) {
      const [next = part] = todo;
      try {
        const began = performance.now();
        const view = await writePart(receiptBearer, next, size, signal);
        adapt(next.bytes.length, performance.now() - began);
        retry.progressed();
        todo.shift();
        if (todo.length === 0) return view;
      } catch (error) {
        partLength = MIN_PART;
        await retry.pause(error);
        const view = await persist(retry, () => readReceipt(receiptBearer, signal));
        if (isWhole(view)) return view;
        if (view.state !== "uploading") throw failure(GIVEN_UP);
        const before = lengthOf(todo);
        todo = lacking(part, view.missing);
        // A line that breaks before any part is whole still gets there, a little at each try.
        if (lengthOf(todo) < before) retry.progressed();
        // All of it is there: but where all of everything is, the server is still to be told to seal it.
        if (todo.length === 0 && view.received !== size) return view;
      }
    }
  }

  return {
    async send(progress, signal) {
      keys ??= await sealer.prepare(contents);
      const known = keys;
      const { fields, receiptBearer } = known;
      const { size } = fields;
      const retry = createRetry({ signal, mayPass, onLost: progress.lost });
      let view: UploadView | undefined;
      if (!begun) {
        view = await createSecret(fields, terms);
        begun = true;
      }
      if (queue.length === 0) sealAnother(size);
      while (queue[0]) {
        const part = await queue[0];
        signal.throwIfAborted();
        progress.set(view?.received ?? part.start, size);
        if (queue.length === 1) sealAnother(size);
        view = await deliver(part, known, retry, signal);
        queue.shift();
      }
      view ??= await persist(retry, () => readReceipt(receiptBearer, signal));
      if (view.state === "uploading")
        throw failure("The server lost a part of it. Nothing was kept. Try again.");
      if (!isWhole(view)) throw failure(GIVEN_UP);
      progress.set(size, size);
      sealer.end();
      return { ...known, expiresAt: view.expiresAt };
    },
    discard() {
      sealer.end();
      // The answer that it has begun may have been lost.
      if (keys) deleteSecret(keys.receiptBearer).catch(() => undefined);
    },
  };
}
