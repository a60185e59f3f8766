import type { Anchor } from "../store/anchors.ts";
import { canonicalForm, hashOf, NO_HASH } from "./canonical.ts";

/** A line of a log that claims a place in a chain. */
export interface ChainedLine {
  readonly audit: string;
  readonly at: string;
  readonly seq: number;
  readonly prev: string;
  readonly members: Readonly<Record<string, unknown>>;
}

export interface ChainReport {
  readonly chain: string;
  readonly lines: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly firstAt: string;
  readonly lastAt: string;
  /** Its last line says that the process ended as it should. */
  readonly ended: boolean;
  /** The number of the line that an anchor has confirmed. */
  readonly anchoredTo: number | undefined;
  /** The first of them, as sentences. */
  readonly faults: readonly string[];
  readonly faultCount: number;
}

export interface ChainCheck {
  /** `where` names the line in a sentence: `line 7 of audit.log`. */
  add(line: ChainedLine, where: string): void;
  end(): ChainReport;
}

export interface ChainCheckOptions {
  readonly chain: string;
  readonly anchor: Anchor | undefined;
  /** The files are an excerpt: what is missing before and after is no fault. */
  readonly partial: boolean;
}

const MOST_FAULTS = 10;
const span = (first: number, last: number) => (first === last ? `${first} is` : `${first} to ${last} are`);

/** Follows one chain, line by line as they stand in the files, and remembers only the last one. */
export function createChainCheck({ chain, anchor, partial }: ChainCheckOptions): ChainCheck {
  const faults: string[] = [];
  let faultCount = 0;
  let lines = 0;
  let first = { seq: 0, at: "" };
  let last = { seq: -1, at: "", hash: NO_HASH };
  let ended = false;
  let confirmed = false;

  function fault(sentence: string): void {
    faultCount++;
    if (faults.length < MOST_FAULTS) faults.push(sentence);
  }

  function checkPlace({ seq, prev }: ChainedLine, where: string): void {
    if (lines === 0 && seq > 0) {
      if (!partial) fault(`${span(0, seq - 1)} missing: it begins with ${seq} at ${where}`);
    } else if (seq > last.seq + 1) {
      fault(`${span(last.seq + 1, seq - 1)} missing before ${seq} at ${where}`);
    } else if (prev !== last.hash) {
      fault(
        seq === 0
          ? `0 at ${where} is changed: nothing comes before a first line`
          : `${seq - 1} is changed, or ${seq} at ${where} is: it does not follow from the line before`,
      );
    }
    if (ended) fault(`${seq} at ${where} comes after the line that says that the process ended`);
  }

  return {
    add(line, where) {
      const { seq, at } = line;
      const form = canonicalForm(line.members);
      const hash = form === undefined ? NO_HASH : hashOf(form);
      if (form === undefined) fault(`${seq} at ${where} is changed: a member is no text and no whole number`);
      if (lines > 0 && seq <= last.seq) {
        lines++;
        fault(`${seq} at ${where} comes again or too late: ${last.seq} came before it`);
        return;
      }
      checkPlace(line, where);
      if (lines++ === 0) first = { seq, at };
      last = { seq, at, hash };
      ended = line.audit === "trail-ended";
      if (seq !== anchor?.seq) return;
      confirmed = hash === anchor.hash;
      if (!confirmed) fault(`${seq} at ${where} is changed, or a line before it: Redis knows another one`);
    },
    end() {
      if (anchor !== undefined && anchor.seq > last.seq && !partial)
        fault(
          `${span(last.seq + 1, anchor.seq)} missing at the end: Redis knew ${anchor.seq} at ${anchor.at}`,
        );
      return {
        chain,
        lines,
        firstSeq: first.seq,
        lastSeq: last.seq,
        firstAt: first.at,
        lastAt: last.at,
        ended,
        anchoredTo: confirmed ? anchor?.seq : undefined,
        faults,
        faultCount,
      };
    },
  };
}
