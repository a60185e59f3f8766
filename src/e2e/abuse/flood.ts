/**
 * A process of its own that holds slow connections to a server, so that its work is not in the times of
 * others: `node --import tsx flood.ts PORT COUNT SECONDS ASSET BYTES`. Says when all are open, and at the end when
 * each was dropped, to its parent.
 */
import { connect } from "node:net";
import type { Kind, Slow } from "./slow.ts";

const [port = 0, count = 0, seconds = 0] = process.argv.slice(2).map(Number);
const asset = process.argv[5] ?? "/";
/** Of the asset. */
const bytes = Number(process.argv[6]);
/** Source addresses, as a small flood would have. */
const ADDRESSES = 8;
const HEADERS = `GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ${"x".repeat(4000)}`;
const BODY_HEAD =
  "POST /api/v1/secrets HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n";
/** So many that there is something to read for a while: asking is quick, only reading is slow. */
const ASKED = 3;
const QUESTIONS = `GET ${asset} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: identity\r\n\r\n`.repeat(ASKED);
/** A second: whoever has not read all sees no end, and all is read before the server gives up after an answer. */
const PORTION = Math.ceil((ASKED * bytes) / 50);

/** Half of them headers byte by byte; the rest a body, nothing at all, or an answer that they hardly read. */
function kindOf(i: number): Kind {
  if (i % 2 === 0) return "headers";
  return (["body", "silent", "reader"] as const)[(i >> 1) % 3] ?? "silent";
}

const all: Slow[] = [];
const drips = new Set<() => void>();
let left = count;

function open(i: number): void {
  const kind = kindOf(i);
  const slow: Slow = { kind, opened: null, dropped: null };
  all.push(slow);
  const socket = connect({ port, host: "127.0.0.1", localAddress: `127.0.1.${1 + (i % ADDRESSES)}` });
  let sent = 0;
  const drip = () => {
    if (kind === "headers") socket.write(HEADERS[sent++ % HEADERS.length] ?? "x");
    if (kind === "body") socket.write("x");
    if (kind === "reader") socket.read(Math.min(PORTION, socket.readableLength));
  };
  socket.on("connect", () => {
    slow.opened = performance.now();
    if (kind === "body") socket.write(BODY_HEAD);
    if (kind === "reader") {
      socket.pause();
      socket.write(QUESTIONS);
    }
    drips.add(drip);
  });
  socket.on("error", () => {}); // "close" follows
  if (kind !== "reader") socket.resume();
  socket.on("close", () => {
    slow.dropped = performance.now();
    drips.delete(drip);
    if (--left === 0) finish();
  });
}

function finish(): void {
  process.send?.({ kind: "dropped", all }, () => process.exit(0));
}

for (let i = 0; i < count; i++) {
  open(i);
  if (i % 100 === 99) await new Promise((resolve) => setTimeout(resolve, 10));
}
process.send?.({ kind: "opened" });
setInterval(() => {
  for (const drip of drips) drip();
}, 1000);
setTimeout(finish, seconds * 1000);
