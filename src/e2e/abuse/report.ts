const print = (line: string) => process.stdout.write(`${line}\n`);

/** What a run prints and what it found wrong. */
export interface Report {
  line(text: string): void;
  /** The first row is the heading. */
  table(rows: readonly (readonly (string | number)[])[]): void;
  /** A rule that has to hold: printed either way, and remembered where it is broken. */
  rule(holds: boolean, text: string): void;
  readonly broken: () => readonly string[];
}

export function createReport(write: (line: string) => void = print): Report {
  const broken: string[] = [];
  return {
    line: write,
    table(rows) {
      const texts = rows.map((row) => row.map(String));
      const widths = (texts[0] ?? []).map((_, column) =>
        Math.max(...texts.map((row) => row[column]?.length ?? 0)),
      );
      for (const row of texts) {
        write(`  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd());
      }
    },
    rule(holds, text) {
      write(`  ${holds ? "holds " : "BROKEN"}  ${text}`);
      if (!holds) broken.push(text);
    },
    broken: () => broken,
  };
}

/** `part` from 0 to 1 of the values, which need not be in order. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
