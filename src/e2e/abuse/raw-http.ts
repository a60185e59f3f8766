/** An answer as it came over the wire. Header names are lower case; repeated ones are joined by LF. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

export interface Parsed {
  readonly answers: readonly RawAnswer[];
  /** How many bytes they take; what follows is not whole yet. */
  readonly length: number;
  /** What is wrong with what follows; undefined where more bytes may come. */
  readonly fault: string | undefined;
}

const STATUS_LINE = /^HTTP\/1\.1 ([1-5][0-9][0-9]) [\t\x20-\x7e]+$/;
// RFC 9110, section 5: a token, and visible characters with blanks between them.
const HEADER =
  /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)[ \t]*$/;
const NEXT = Buffer.from("HTTP/1.1 ");

function bodyless(status: number): boolean {
  return status < 200 || status === 204 || status === 304;
}

/** The length of a chunked body with its ends, and its content; undefined where it is not whole. */
function readChunked(bytes: Buffer, from: number): { end: number; body: Buffer } | string | undefined {
  const parts: Buffer[] = [];
  for (let at = from; ; ) {
    const line = bytes.indexOf("\r\n", at);
    if (line < 0) return undefined;
    const size = bytes.toString("latin1", at, line);
    if (!/^[0-9a-f]+$/i.test(size)) return `a chunk of size ${JSON.stringify(size.slice(0, 20))}`;
    const length = Number.parseInt(size, 16);
    const end = line + 2 + length;
    if (bytes.length < end + 2) return undefined;
    if (bytes.toString("latin1", end, end + 2) !== "\r\n") return "a chunk that does not end where it says";
    parts.push(bytes.subarray(line + 2, end));
    at = end + 2;
    if (length === 0) return { end: at, body: Buffer.concat(parts) };
  }
}

/**
 * Reads answers strictly, one after the other (RFC 9112). `heads` says that some of the requests were
 * HEAD: then an answer whose body is missing counts where the next one begins, or nothing follows.
 */
export function parseAnswers(bytes: Buffer, heads: boolean, ended: boolean): Parsed {
  const answers: RawAnswer[] = [];
  let at = 0;
  const fault = (text: string): Parsed => ({ answers, length: at, fault: text });
  for (;;) {
    const blank = bytes.indexOf("\r\n\r\n", at);
    if (blank < 0) {
      if (!ended || bytes.length === at) return { answers, length: at, fault: undefined };
      return fault(`a head that breaks off: ${JSON.stringify(bytes.toString("latin1", at, at + 60))}`);
    }
    const [first = "", ...lines] = bytes.toString("latin1", at, blank).split("\r\n");
    const status = Number(STATUS_LINE.exec(first)?.[1]);
    if (Number.isNaN(status))
      return fault(`a status line that is none: ${JSON.stringify(first.slice(0, 60))}`);
    const headers = new Map<string, string>();
    for (const line of lines) {
      const [, name, value = ""] = HEADER.exec(line) ?? [];
      if (name === undefined) return fault(`a header that is none: ${JSON.stringify(line.slice(0, 60))}`);
      const key = name.toLowerCase();
      const earlier = headers.get(key);
      headers.set(key, earlier === undefined ? value : `${earlier}\n${value}`);
    }
    const start = blank + 4;
    const declared = headers.get("content-length");
    const chunked = headers.get("transfer-encoding")?.toLowerCase() === "chunked";
    if (declared !== undefined && (chunked || !/^[0-9]+$/.test(declared))) {
      return fault(`two lengths, or one that is no number: ${JSON.stringify(declared)}`);
    }
    let end = start;
    let body: Buffer = Buffer.alloc(0);
    const follows = bytes.subarray(start, start + NEXT.length);
    const mayBeNext = follows.equals(NEXT.subarray(0, follows.length));
    if (heads && !ended && mayBeNext && follows.length < NEXT.length) {
      return { answers, length: at, fault: undefined };
    }
    const headOnly = heads && mayBeNext;
    if (!bodyless(status) && !headOnly) {
      if (chunked) {
        const read = readChunked(bytes, start);
        if (typeof read === "string") return fault(read);
        if (!read) return ended ? fault("a body that breaks off") : { answers, length: at, fault: undefined };
        ({ end, body } = read);
      } else if (declared !== undefined) {
        end = start + Number(declared);
        if (bytes.length < end) {
          return ended ? fault("a body that breaks off") : { answers, length: at, fault: undefined };
        }
        body = bytes.subarray(start, end);
      } else if (headers.get("connection") === "close") {
        if (!ended) return { answers, length: at, fault: undefined };
        end = bytes.length;
        body = bytes.subarray(start);
      } else return fault("an answer that does not say how long it is");
    }
    answers.push({ status, headers, body });
    at = end;
  }
}
