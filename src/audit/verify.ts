import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { parseArgs } from "node:util";
import type { Environment, ReadFile } from "../config/environment.ts";
import type { ChainReport } from "./chain-check.ts";
import { CannotCheckError, createLogCheck, type LogReport } from "./check-log.ts";
import { readAnchors } from "./read-anchors.ts";
import { readLines } from "./read-lines.ts";

export interface VerifyOptions {
  /** After `audit`. */
  readonly args: readonly string[];
  readonly env: Environment;
  readonly readFile: ReadFile;
  readonly stdin: Readable;
  readonly print: (line: string) => void;
}

const USAGE =
  "Usage: audit verify [--anchors] [--partial] FILE…   Checks the audit lines in logs; - is the standard input. " +
  "--anchors: also by what the Redis of this configuration knows. --partial: the files are an excerpt.";

interface Arguments {
  readonly files: readonly string[];
  readonly anchors: boolean;
  readonly partial: boolean;
}

function parseArguments(args: readonly string[]): Arguments {
  const flag = { type: "boolean", default: false } as const;
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { anchors: flag, partial: flag },
      allowPositionals: true,
      strict: true,
    });
    const [verb, ...files] = positionals;
    if (verb === "verify" && files.length > 0) return { ...values, files };
  } catch {
    // Said below.
  }
  throw new CannotCheckError(USAGE);
}

async function check({ files, anchors, partial }: Arguments, options: VerifyOptions): Promise<LogReport> {
  const { env, readFile, stdin } = options;
  const log = createLogCheck({ partial, anchors: anchors ? await readAnchors(env, readFile) : undefined });
  for (const file of files) {
    const name = file === "-" ? "the standard input" : file;
    let number = 0;
    try {
      for await (const line of readLines(file === "-" ? stdin : createReadStream(file)))
        log.add(line, `line ${++number} of ${name}`);
    } catch (error) {
      if (error instanceof CannotCheckError) throw error;
      const code = error instanceof Error && "code" in error ? ` (${error.code})` : "";
      throw new CannotCheckError(`${name} can't be read${code}. Correct the name, or let this user read it.`);
    }
  }
  return log.end();
}

function endOf({ ended, lastSeq, anchoredTo }: ChainReport): string {
  const end = ended
    ? "ended"
    : "no end: the process runs, was killed, or lines at the end were cut off since the last anchor";
  if (anchoredTo === undefined) return end;
  return `${end}; anchored to ${anchoredTo === lastSeq ? "its last line" : `line ${anchoredTo}`}`;
}

function* show({ chains, faults, lines, faultCount }: LogReport): Generator<string> {
  for (const report of chains) {
    const verdict = report.faultCount === 0 ? "intact" : "broken";
    const { chain, firstSeq, lastSeq, firstAt, lastAt } = report;
    yield `${verdict}  ${chain}  ${report.lines} lines, ${firstSeq} to ${lastSeq}, ${firstAt} to ${lastAt}; ${endOf(report)}`;
    for (const sentence of report.faults) yield `        ${sentence}`;
    const more = report.faultCount - report.faults.length;
    if (more > 0) yield `        and ${more} more`;
  }
  yield* faults;
  yield `${chains.length} chain(s), ${lines} audit line(s), ${faultCount} fault(s).`;
}

/** Checks audit logs and prints what it finds. 0: intact; 1: something is wrong; 2: it could not be checked. */
export async function auditMode(options: VerifyOptions): Promise<0 | 1 | 2> {
  try {
    const report = await check(parseArguments(options.args), options);
    if (report.lines === 0 && report.faultCount === 0)
      throw new CannotCheckError("There is no audit line in these files. Give the log of a Waxseal server.");
    for (const line of show(report)) options.print(line);
    return report.faultCount === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof CannotCheckError)) throw error;
    options.print(error.message);
    return 2;
  }
}
