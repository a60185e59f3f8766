const NEWLINE = 10;
/** Bytes. An audit line has less than one of these KiB, whatever a collector adds. */
const LONGEST = 64 * 1024;

/** The lines of a stream, without what is too long to be an audit line: that comes as "". */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let kept: Buffer[] = [];
  let length = 0;

  function take(piece: Buffer): string {
    const whole = length + piece.length <= LONGEST ? Buffer.concat([...kept, piece]).toString() : "";
    kept = [];
    length = 0;
    return whole;
  }

  for await (const bytes of chunks) {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      yield take(chunk.subarray(start, end));
      start = end + 1;
    }
    const rest = chunk.subarray(start);
    length += rest.length;
    if (length <= LONGEST) kept.push(rest);
    else kept = [];
  }
  if (length > 0) yield take(Buffer.alloc(0));
}
