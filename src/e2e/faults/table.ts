import type { AlgorithmName } from "./algorithms.ts";
import type { Outcome } from "./run-fault.ts";

const COLUMNS = [
  "Fault",
  "Algorithm",
  "Secrets (episodes)",
  "Read twice",
  "Lost",
  "Used up, no reader",
  "503s",
  "Longest, s",
  "Took, s",
];

function cells({ fault, algorithm, episodes, verdict, seconds }: Outcome): string[] {
  return [
    fault.name,
    algorithm,
    `${verdict.secrets} (${episodes})`,
    String(verdict.readTwice.length),
    String(verdict.lost.length),
    String(verdict.unread.length + verdict.givenUp.length),
    String(verdict.unavailable),
    (verdict.longest / 1000).toFixed(1),
    seconds.toFixed(0),
  ];
}

const line = (row: readonly string[]) => `| ${row.join(" | ")} |`;

/** Lines of Markdown: the head, a rule, and a line for each outcome. */
export function tableOf(outcomes: readonly Outcome[]): string[] {
  return [line(COLUMNS), line(COLUMNS.map(() => "---")), ...outcomes.map((outcome) => line(cells(outcome)))];
}

const SHORT_NAMES: readonly (readonly [AlgorithmName, string])[] = [
  ["plain GETDEL", "GETDEL"],
  ["claim without WAIT", "Without WAIT"],
  ["ours", "Waxseal"],
];

function inShort({ verdict: { readTwice, lost, unread, givenUp } }: Outcome): string {
  const counts = { "read twice": readTwice, lost, "used up unread": [...unread, ...givenUp] };
  const told = Object.entries(counts).filter(([, names]) => names.length > 0);
  return told.map(([what, names]) => `${names.length} ${what}`).join(", ") || "–";
}

/** The same as the README has it: a line for each fault, a column for each program. */
export function summaryOf(outcomes: readonly Outcome[]): string[] {
  const columns = SHORT_NAMES.filter(([name]) => outcomes.some(({ algorithm }) => algorithm === name));
  const head = ["Fault", "Secrets (episodes)", ...columns.map(([, short]) => short)];
  const rows = [...new Set(outcomes.map(({ fault }) => fault))].map((fault) => {
    const own = outcomes.filter((outcome) => outcome.fault === fault);
    const secrets = `${own[0]?.verdict.secrets ?? 0} (${own[0]?.episodes ?? 0})`;
    const cellsOf = columns.map(([name]) => own.find(({ algorithm }) => algorithm === name));
    return [fault.name, secrets, ...cellsOf.map((outcome) => (outcome ? inShort(outcome) : ""))];
  });
  return [head, head.map(() => "---"), ...rows].map(line);
}
