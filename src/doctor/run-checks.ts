import { within } from "../store/within.ts";
import { type Check, type Finding, problem, skipped } from "./finding.ts";

/** Milliseconds for one check. */
const EACH = 5000;

export interface Line extends Finding {
  readonly name: string;
}

async function runOne<S>({ name, run }: Check<S>, subject: S, deadline: number): Promise<readonly Finding[]> {
  const left = Math.min(EACH, deadline - performance.now());
  if (left <= 0)
    return [problem("was not looked at: everything before it took too long. Correct that first.")];
  try {
    return await within(left, Promise.resolve(run(subject)));
  } catch (error) {
    // Checks tell what they foresee; a message from deeper inside might quote what must not be shown.
    const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
    return [problem(`${name} could not be looked at within ${EACH / 1000} seconds${code}. Try again.`)];
  }
}

/** One after the other. `deadline` is on performance.now()'s clock. */
export async function runChecks<S>(
  checks: readonly Check<S>[],
  subject: S,
  deadline: number,
): Promise<Line[]> {
  const lines: Line[] = [];
  for (const [index, check] of checks.entries()) {
    const findings = await runOne(check, subject, deadline);
    lines.push(...findings.map((finding) => ({ name: check.name, ...finding })));
    if (!check.gate || !findings.some(({ level }) => level === "problem")) continue;
    const names = checks.slice(index + 1).map(({ name }) => name);
    const unique = [...new Set(names)].join(", ");
    if (unique !== "") lines.push({ name: "not checked", ...skipped(`${unique}. Correct the above first.`) });
    break;
  }
  return lines;
}
