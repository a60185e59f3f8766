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

/** Lines of Markdown: the head, a rule, and a line for each outcome. */
export function tableOf(outcomes: readonly Outcome[]): string[] {
  const line = (row: readonly string[]) => `| ${row.join(" | ")} |`;
  return [line(COLUMNS), line(COLUMNS.map(() => "---")), ...outcomes.map((outcome) => line(cells(outcome)))];
}
