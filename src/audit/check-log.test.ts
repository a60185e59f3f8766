import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Anchor } from "../store/anchors.ts";
import { CannotCheckError, createLogCheck, type LogCheckOptions } from "./check-log.ts";
import { writeTrail } from "./testing.ts";

function check(lines: readonly string[], options: LogCheckOptions = {}) {
  const log = createLogCheck(options);
  lines.forEach((line, index) => void log.add(line, `line ${index + 1}`));
  const report = log.end();
  const said = [...report.chains.flatMap(({ faults }) => faults), ...report.faults].join("\n");
  return { ...report, said };
}

/** Nothing is wrong with the log before, and this is afterwards. */
function tampered(change: (lines: string[]) => void, events = 9): string {
  const { lines } = writeTrail(events);
  assert.equal(check(lines).faultCount, 0);
  change(lines);
  const { faultCount, said } = check(lines);
  assert.ok(faultCount > 0, "was not noticed");
  return said;
}

function edit(lines: string[], index: number, change: (line: Record<string, unknown>) => object): void {
  lines[index] = JSON.stringify(change(JSON.parse(lines[index] ?? "")));
}

const anchorOf = ({ trail }: ReturnType<typeof writeTrail>, at = new Date().toISOString()): Anchor => {
  const position = trail.position();
  assert.ok(position);
  return { ...position, at };
};

describe("A log that somebody tampered with", () => {
  it("shows an edited member, whichever it is", () => {
    for (const change of [
      { audit: "deleted" },
      { at: "2026-01-01T00:00:00.000Z" },
      { secret: "ffffffffffffffff" },
      { requestId: "another" },
      { address: "192.0.2.1" },
      { reason: "locked" },
      { requestId: undefined },
    ]) {
      assert.match(
        tampered((lines) => edit(lines, 4, (line) => ({ ...line, ...change }))),
        /^4 is changed, or 5 at line 6 is/,
      );
    }
  });

  it("shows a line that says a member twice, of which other programs may read the wrong one", () => {
    for (const twice of ['"audit":"deleted",', '"\\u0061udit" : "deleted",', '"secret":"f00d",']) {
      const said = tampered((lines) => {
        lines[9] = (lines[9] ?? "").replace("{", `{${twice}`);
      });
      assert.match(said, /no place in any chain: line 10/);
    }
    const nested = writeTrail(2).lines.map((line) =>
      line.replace("{", '{"labels":{"audit":"a","version":["at"]},'),
    );
    assert.equal(check(nested).faultCount, 0);
  });

  it("shows an edited place in the chain", () => {
    assert.match(
      tampered((lines) => edit(lines, 4, (line) => ({ ...line, prev: "0".repeat(64) }))),
      /^3 is changed, or 4 at line 5/,
    );
    assert.match(
      tampered((lines) => edit(lines, 4, (line) => ({ ...line, seq: 40 }))),
      /4 to 39 are missing/,
    );
    assert.match(
      tampered((lines) => edit(lines, 4, (line) => ({ ...line, chain: "another" }))),
      /4 is missing before 5/,
    );
    assert.match(
      tampered((lines) => edit(lines, 4, ({ chain: _, ...line }) => line)),
      /An audit line has no place in any chain: line 5/,
    );
    assert.match(
      tampered((lines) => edit(lines, 4, (line) => ({ ...line, told: { nested: true } }))),
      /4 at line 5 is changed: a member/,
    );
  });

  it("shows a removed line, several, and the first ones", () => {
    assert.match(
      tampered((lines) => lines.splice(4, 1)),
      /^4 is missing before 5 at line 5$/,
    );
    assert.match(
      tampered((lines) => lines.splice(4, 3)),
      /^4 to 6 are missing before 7 at line 5$/,
    );
    assert.match(
      tampered((lines) => lines.splice(0, 2)),
      /^0 to 1 are missing: it begins with 2/,
    );
  });

  it("shows lines that changed places", () => {
    const said = tampered((lines) => {
      const [one = "", other = ""] = lines.splice(4, 2);
      lines.splice(4, 0, other, one);
    });
    assert.match(said, /4 is missing before 5 at line 5\n4 at line 6 comes again or too late/);
  });

  it("shows an added line: a copy, one made up, and one that replaces another with the chain written on", () => {
    assert.match(
      tampered((lines) => lines.splice(4, 0, lines[2] ?? "")),
      /2 at line 5 comes again/,
    );
    const madeUp = (lines: string[]) =>
      JSON.stringify({ ...JSON.parse(lines[4] ?? ""), secret: "eeeeeeeeeeeeeeee" });
    assert.match(
      tampered((lines) => lines.splice(4, 0, madeUp(lines))),
      /4 at line 6 comes again[\s\S]*4 is changed/,
    );
    const { lines: foreign } = writeTrail(9);
    assert.match(
      tampered((lines) => {
        const { chain } = JSON.parse(lines[0] ?? "");
        const rest = foreign.slice(5).map((line) => JSON.stringify({ ...JSON.parse(line), chain }));
        lines.splice(5, 5, ...rest);
      }),
      /4 is changed, or 5 at line 6/,
    );
  });

  it("shows lines after the end", () => {
    const { trail, lines } = writeTrail(2);
    trail.write({ audit: "trail-ended" });
    assert.equal(check(lines).chains[0]?.ended, true);
    trail.write({ audit: "opened", secret: "0".repeat(16) });
    assert.match(check(lines).said, /4 at line 5 comes after the line that says that the process ended/);
  });
});

describe("What is anchored elsewhere", () => {
  it("shows an end that was cut off, and by itself the log does not", () => {
    const written = writeTrail(9);
    const anchors = [anchorOf(written)];
    assert.equal(check(written.lines, { anchors }).chains[0]?.anchoredTo, 9);
    const cut = written.lines.slice(0, 6);
    assert.equal(check(cut).faultCount, 0);
    assert.match(check(cut, { anchors }).said, /^6 to 9 are missing at the end: Redis knew 9 at 20/);
  });

  it("shows a chain that was written anew as a whole, with hashes that fit", () => {
    const [real, forged] = [writeTrail(9), writeTrail(12)];
    assert.equal(check(forged.lines).faultCount, 0);
    const anchors = [{ ...anchorOf(real), chain: anchorOf(forged).chain }];
    assert.match(
      check(forged.lines, { anchors }).said,
      /^9 at line 10 is changed, or a line before it: Redis knows another one$/,
    );
  });

  it("shows a chain that is gone altogether, but for one from before the log's first line", () => {
    const [here, gone] = [writeTrail(3), writeTrail(3)];
    const late = anchorOf(gone);
    assert.match(check(here.lines, { anchors: [late] }).said, /is missing: Redis knew its line 3 at /);
    const early = { ...late, at: "2020-01-01T00:00:00.000Z" };
    assert.equal(check(here.lines, { anchors: [early] }).faultCount, 0);
  });
});

describe("A log that is whole", () => {
  it("is so with other programs' lines, requests and replicas in between, a restart, and files in a row", () => {
    const [one, other, restarted] = [writeTrail(50), writeTrail(40), writeTrail(3)];
    const mixed: string[] = ["", "not JSON {", '{"audit":"of another program"}', '{"audit":7,"seq":1}', "[]"];
    while (one.lines.length + other.lines.length > 0) {
      const [from] = Math.random() < 0.5 && one.lines.length > 0 ? [one] : [other];
      const line = from.lines.shift();
      if (line !== undefined) mixed.push(line, '{"level":30,"requestId":"r","route":"/","msg":"request"}');
    }
    const { faultCount, said, chains } = check([...mixed, ...restarted.lines]);
    assert.deepEqual([faultCount, said], [0, ""]);
    assert.deepEqual(chains.map(({ lines }) => lines).sort(), [4, 41, 51]);
  });

  it("is so as collectors store it: with a prefix, wrapped, spelt and ordered anew", () => {
    const { lines } = writeTrail(20);
    const reordered = (line: string) => {
      const members = Object.entries(JSON.parse(line)).reverse();
      return JSON.stringify({ ...Object.fromEntries(members), kubernetes: { pod: "x" }, time: "2026" });
    };
    const ways: ((line: string) => string)[] = [
      reordered,
      (line) => `2026-01-02T03:04:05.6Z stdout F ${line}`,
      (line) => `waxseal-1  | ${line}\r`,
      (line) => JSON.stringify({ log: `${line}\n`, stream: "stdout", time: "2026" }),
      (line) => JSON.stringify({ MESSAGE: line, _PID: "7" }),
      (line) => `<110>1 2026-01-02T03:04:05Z host waxseal 7 opened - ${line}`,
    ];
    assert.equal(check(lines.map((line, index) => (ways[index % ways.length] ?? reordered)(line))).lines, 21);
    for (const way of ways) assert.equal(check(lines.map(way)).faultCount, 0, String(way));
  });

  it("may be an excerpt, where that is said: then what is in it must fit, and be what is anchored", () => {
    const written = writeTrail(9);
    const middle = written.lines.slice(3, 7);
    const anchors = [anchorOf(written)];
    assert.equal(check(middle, { partial: true, anchors }).faultCount, 0);
    assert.equal(check(middle, { anchors }).faultCount, 2);
    middle.splice(1, 1);
    assert.equal(check(middle, { partial: true }).faultCount, 1);
  });

  it("is not judged where a newer version wrote it", () => {
    const { lines } = writeTrail(1);
    edit(lines, 0, (line) => ({ ...line, format: 2 }));
    assert.throws(() => check(lines), CannotCheckError);
  });

  it("says the first faults and counts the others", () => {
    const { lines } = writeTrail(100);
    const { faultCount, chains } = check(lines.filter((_, index) => index % 2 === 0));
    assert.equal(faultCount, 50);
    assert.equal(chains[0]?.faults.length, 10);
  });
});
