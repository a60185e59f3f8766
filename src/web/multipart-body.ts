import { Busboy, type BusboyFileStream } from "@fastify/busboy";
import type { Request } from "express";
import { allocate, type Bytes, copyOf, wipe } from "../envelope/bytes.ts";
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

/** Ours has four fields beside the files; and a part's own headers are two lines. */
const MAX_FIELDS = 16;
const MAX_HEADER_BYTES = 4096;

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
    take(): Bytes {
      const whole = copyOf(room.subarray(0, length));
      wipe(room);
      return whole;
    },
  };
}

/**
 * Reads a form of type `multipart/form-data` (RFC 7578) as bytes that can be overwritten afterwards,
 * never as strings. A body beyond the limits is read to its end and dropped as it comes: a browser
 * shows nobody's answer while it is still sending. Throws `invalid` for what is no such form, and
 * for one that was cut short.
 */
export function readMultipart(req: Request, limits: MultipartLimits): Promise<MultipartForm> {
  const fields = new Map<string, Bytes>();
  const files: FormFile[] = [];
  let left = limits.maxBytes;
  let tooLarge = false;

  async function collect(name: string, stream: BusboyFileStream, fileName: string, type: string) {
    const sink = createSink();
    const isFile = fileName !== undefined;
    let length = 0;
    for await (const piece of stream) {
      length += piece.length;
      left -= piece.length;
      if (left < 0 || (isFile && tooLarge)) tooLarge = true;
      else sink.add(piece);
      piece.fill(0);
    }
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
    const fail = (error: unknown) => {
      req.unpipe(parser);
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
        headerPairs: MAX_FIELDS,
        headerSize: MAX_HEADER_BYTES,
      },
    });
  } catch {
    throw invalid("Send the form as multipart/form-data with a boundary.");
  }
}
