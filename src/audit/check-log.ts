import type { Anchor } from "../store/anchors.ts";
import { type ChainCheck, type ChainReport, createChainCheck } from "./chain-check.ts";
import { findLine } from "./find-line.ts";
import { AUDIT_FORMAT } from "./record.ts";

/** The files can't be checked. The message says what to do. */
export class CannotCheckError extends Error {
  override readonly name = "CannotCheckError";
  readonly code = "cannot-check";
}

export interface LogReport {
  readonly chains: readonly ChainReport[];
  /** Lines of all chains. */
  readonly lines: number;
  /** What is wrong beside the chains, as sentences; the first of them. */
  readonly faults: readonly string[];
  /** With those of the chains. */
  readonly faultCount: number;
}

export interface LogCheckOptions {
  /** Undefined: nobody asked for them. */
  readonly anchors?: readonly Anchor[] | undefined;
  readonly partial?: boolean;
}

/** So that a file made for it can't fill the memory. A process that restarts every minute needs two months. */
const MOST_CHAINS = 100_000;
const MOST_FAULTS = 20;
const HASH = /^[0-9a-f]{64}$/;
const CHAIN = /^[\w-]{1,64}$/;

/** Checks the lines of any number of logs, in the order in which they are given, with memory for each chain only. */
export function createLogCheck({ anchors, partial = false }: LogCheckOptions = {}) {
  const known = new Map((anchors ?? []).map((anchor) => [anchor.chain, anchor]));
  const chains = new Map<string, ChainCheck>();
  const faults: string[] = [];
  let faultCount = 0;
  let earliest: string | undefined;

  function fault(sentence: string): void {
    faultCount++;
    if (faults.length < MOST_FAULTS) faults.push(sentence);
  }

  function checkOf(chain: string): ChainCheck {
    let check = chains.get(chain);
    if (check === undefined) {
      if (chains.size >= MOST_CHAINS)
        throw new CannotCheckError(`There are more than ${MOST_CHAINS} chains. Give fewer files at a time.`);
      check = createChainCheck({ chain, anchor: known.get(chain), partial });
      chains.set(chain, check);
    }
    return check;
  }

  return {
    /** One line of a log, of whatever program. `where` names it in a sentence. */
    add(text: string, where: string): void {
      const members = findLine(text);
      if (members === undefined) return;
      const { audit, at, chain, seq, prev, secret, format } = members;
      if (typeof audit !== "string") return;
      if (
        typeof at !== "string" ||
        typeof chain !== "string" ||
        typeof seq !== "number" ||
        typeof prev !== "string" ||
        !(CHAIN.test(chain) && Number.isSafeInteger(seq) && seq >= 0 && HASH.test(prev))
      ) {
        // Another program may call something "audit" too; ours has one of these.
        if (secret !== undefined || (chain !== undefined && prev !== undefined))
          fault(`An audit line has no place in any chain: ${where}`);
        return;
      }
      if (audit === "trail-started" && Number(format) > AUDIT_FORMAT)
        throw new CannotCheckError(`A newer version of Waxseal wrote ${where}. Check with that version.`);
      if (earliest === undefined || at < earliest) earliest = at;
      checkOf(chain).add({ audit, at, seq, prev, members }, where);
    },

    end(): LogReport {
      const reports = [...chains.values()].map((check) => check.end());
      for (const { chain, seq, at } of anchors ?? []) {
        if (chains.has(chain) || partial || (earliest !== undefined && at < earliest)) continue;
        fault(`Chain ${chain} is missing: Redis knew its line ${seq} at ${at}`);
      }
      return {
        chains: reports,
        lines: reports.reduce((sum, { lines }) => sum + lines, 0),
        faults,
        faultCount: reports.reduce((sum, report) => sum + report.faultCount, faultCount),
      };
    },
  };
}
