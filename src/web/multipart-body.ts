import { Busboy, type BusboyFileStream } from "@fastify/busboy";
import type { Request } from "express";
import { allocate, type Bytes, copyOf, wipe } from "../envelope/bytes.ts";
import { MAX_FIELDS } from "./form-body.ts";
import { invalid } from "./problem.ts";

/** A file of a submitted form, as it was named by whoever sent it. */
export interface FormFile {
  readonly name: string;
  readonly type: string;
  readonly bytes: Bytes;
}

export interface MultipartForm {
  readonly fields: ReadonlyMap<string, Bytes>;
  readonly files: readonly FormFile[];
  /** More came than the limits allow. Files are left out then; fields are there as far as they fit. */
  readonly tooLarge: boolean;
}

export interface MultipartLimits {
  /** Of all values and files together. */
  readonly maxBytes: number;
  readonly maxFiles: number;
}

/** A part's own headers are two lines. */
const MAX_HEADERS = 16;
const MAX_HEADER_BYTES = 4096;

/** A body is read up to so many times the limit: beyond it, what comes is only dropped. */
const READ_AT_MOST = 4;

/** Bytes; doubled as often as it takes. */
const FIRST_ROOM = 1024;

/**
 * Takes over the bytes that arrive, and overwrites what they arrived in. They may arrive one by one,
 * so each piece must not cost more than its bytes.
 */
function createSink() {
  let room = allocate(FIRST_ROOM);
  let length = 0;
  return {
    add(piece: Uint8Array) {
      if (length + piece.length > room.length) {
        const larger = allocate(Math.max(2 * room.length, length + piece.length));
        larger.set(room.subarray(0, length));
        wipe(room);
        room = larger;
      }
      room.set(piece, length);
      length += piece.length;
      piece.fill(0);
    },
    wipe() {
      wipe(room);
    },
    take(): Bytes {
      const whole = copyOf(room.subarray(0, length));
      wipe(room);
      return whole;
    },
  };
}

/**
 * Reads a form of type `multipart/form-data` (RFC 7578) as bytes that can be overwritten afterwards,
 * never as strings. A body beyond the limits is dropped as it comes, and read to its end where that is
 * not far: a browser shows nobody's answer while it is still sending. Where it is, `tooLarge` comes
 * before the end; the answer should close the connection then. Throws `invalid` for what is no such
 * form, and for one that was cut short.
 */
export function readMultipart(req: Request, limits: MultipartLimits): Promise<MultipartForm> {
  const fields = new Map<string, Bytes>();
  const files: FormFile[] = [];
  let left = limits.maxBytes;
  let tooLarge = false;
  let received = 0;
  let stopped = false;
  const sinks = new Set<ReturnType<typeof createSink>>();

  async function collect(name: string, stream: BusboyFileStream, fileName: string, type: string) {
    const sink = createSink();
    sinks.add(sink);
    const isFile = fileName !== undefined;
    let length = 0;
    for await (const piece of stream) {
      length += piece.length;
      left -= piece.length;
      if (left < 0 || (isFile && tooLarge)) tooLarge = true;
      else if (!stopped) sink.add(piece);
      piece.fill(0);
    }
    sinks.delete(sink);
    const bytes = sink.take();
    if (!isFile) fields.set(name, bytes);
    // An empty control is sent as a file without a name and without a byte.
    else if (fileName === "" && length === 0) return;
    else if (tooLarge || files.length >= limits.maxFiles) {
      tooLarge = true;
      wipe(bytes);
    } else files.push({ name: fileName, type, bytes });
  }

  return new Promise((resolve, reject) => {
    const under: Promise<void>[] = [];
    /** The parts that have not ended never will. */
    const stop = () => {
      stopped = true;
      req.unpipe(parser);
      for (const sink of sinks) sink.wipe();
    };
    const fail = (error: unknown) => {
      stop();
      req.resume();
      wipe(...fields.values(), ...files.map(({ bytes }) => bytes));
      reject(error);
    };
    const malformed = () => fail(invalid("The form did not arrive whole. Send it again."));
    const parser = createParser(req, limits.maxFiles);
    parser.on("file", (name, stream, fileName, _encoding, type) => {
      // Read to its end whatever happens, or the parser would wait for ever.
      const reading = collect(name, stream, fileName, type);
      reading.catch(() => stream.resume());
      under.push(reading);
    });
    parser.on("partsLimit", () => {
      tooLarge = true;
    });
    parser.on("finish", () => {
      Promise.all(under).then(() => {
        if (tooLarge) wipe(...files.splice(0).map(({ bytes }) => bytes));
        resolve({ fields, files, tooLarge });
      }, malformed);
    });
    parser.on("error", malformed);
    req.on("error", malformed);
    req.on("aborted", malformed);
    if (req.destroyed) malformed();
    req.on("data", (piece: Buffer) => {
      received += piece.length;
      if (received <= READ_AT_MOST * limits.maxBytes || stopped) return;
      stop();
      req.pause();
      wipe(...files.splice(0).map(({ bytes }) => bytes));
      resolve({ fields, files: [], tooLarge: true });
    });
    req.pipe(parser);
  });
}

function createParser(req: Request, maxFiles: number) {
  try {
    return new Busboy({
      headers: { ...req.headers, "content-type": req.headers["content-type"] ?? "" },
      // Every part as a stream of bytes: what it calls a field, it would make a string of.
      isPartAFile: () => true,
      limits: {
        parts: maxFiles + MAX_FIELDS,
        headerPairs: MAX_HEADERS,
        headerSize: MAX_HEADER_BYTES,
      },
    });
  } catch {
    throw invalid("Send the form as multipart/form-data with a boundary.");
  }
}
