/**
 * Prints what the chain costs each audit line, beside what the line costs anyway, and how fast a log is
 * checked.
 *
 *   node --import tsx src/bench/audit-chain.ts [lines]
 */
import { randomUUID } from "node:crypto";
import { closeSync, createReadStream, mkdtempSync, openSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { destination, pino } from "pino";
import { createLogCheck } from "../audit/check-log.ts";
import { createLogSink } from "../audit/log-sink.ts";
import { readLines } from "../audit/read-lines.ts";
import { createTrail } from "../audit/trail.ts";

const LINES = Number(process.argv[2] ?? 500_000);
const ROUNDS = 5;
const dir = mkdtempSync(join(tmpdir(), "waxseal-bench-"));

const record = () =>
  ({
    audit: "opened",
    secret: "0123456789abcdef",
    requestId: randomUUID(),
    address: "192.0.2.0/24",
  }) as const;
const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** CPU microseconds for one call. */
function costOf(act: () => void, times: number): number {
  const before = process.cpuUsage();
  for (let i = 0; i < times; i++) act();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / times;
}

try {
  const nowhere = pino(destination({ dest: "/dev/null", sync: true }));
  const plain = createLogSink(nowhere);
  const chained = createTrail({ sinks: [createLogSink(nowhere)] });
  const pairs = Array.from({ length: ROUNDS }, () => {
    const without = costOf(
      () => plain({ ...record(), at: "", chain: "", seq: 0, prev: "" }, "", { chain: "", seq: 0, hash: "" }),
      LINES / ROUNDS,
    );
    return { without, with: costOf(() => chained.write(record()), LINES / ROUNDS) };
  });
  const without = median(pairs.map((pair) => pair.without));
  const more = median(pairs.map((pair) => pair.with - pair.without));
  process.stdout.write(
    `an audit line: ${without.toFixed(1)} µs of CPU without the chain, and ${more.toFixed(1)} µs more with it\n`,
  );

  const file = join(dir, "audit.log");
  const fd = openSync(file, "w");
  const log = pino(destination({ dest: fd, sync: true, minLength: 8192 }));
  const trail = createTrail({ sinks: [createLogSink(log)] });
  for (let i = 0; i < LINES; i++) trail.write(record());
  log.flush();
  closeSync(fd);

  const check = createLogCheck();
  const began = performance.now();
  let number = 0;
  for await (const line of readLines(createReadStream(file))) check.add(line, `line ${++number}`);
  const { lines, faultCount } = check.end();
  const seconds = (performance.now() - began) / 1000;
  const size = statSync(file).size / lines;
  process.stdout.write(
    `checked ${lines} lines of ${Math.round(size)} bytes in ${seconds.toFixed(1)} s ` +
      `(${Math.round(lines / seconds / 1000)} thousand a second), ${faultCount} faults, ` +
      `${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB resident\n`,
  );
} finally {
  rmSync(dir, { recursive: true });
}
