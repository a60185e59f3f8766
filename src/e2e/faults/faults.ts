/**
 * One reader, nothing acknowledged lost: measured under faults, with two programs beside ours that
 * must fail. Prints a table; ends with 1 where ours breaks a promise or where one of the others,
 * declared to fail under a fault, does not.
 *
 *     npm run faults [-- --only WORD] [--algorithm WORD] [--secrets 100] [--short]
 */
import { parseArgs } from "node:util";
import { algorithms } from "./algorithms.ts";
import { allFaults } from "./all-faults.ts";
import { type Amount, type Outcome, runFault } from "./run-fault.ts";
import { summaryOf, tableOf } from "./table.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    algorithm: { type: "string", default: "" },
    secrets: { type: "string", default: "100" },
    short: { type: "boolean", default: false },
  },
});
const print = (line: string) => process.stdout.write(`${line}\n`);
const amount: Amount = { secrets: Number(values.secrets), episodes: values.short ? "short" : "full" };
const chosen = allFaults.filter(({ name }) => name.includes(values.only));
const programs = algorithms.filter(({ name }) => name.includes(values.algorithm));
if (chosen.length === 0 || programs.length === 0 || !(amount.secrets >= 1)) {
  throw new RangeError("--only and --algorithm are part of a name, --secrets is a count.");
}

const outcomes: Outcome[] = [];
for (const fault of chosen) {
  const rows = await runFault(fault, amount, programs);
  outcomes.push(...rows);
  for (const line of tableOf(rows).slice(outcomes.length === rows.length ? 0 : 2)) print(line);
}
print("\nIn short:\n");
for (const line of summaryOf(outcomes)) print(line);
const failures = outcomes.flatMap((outcome) => outcome.failures);
for (const failure of failures) print(`FAILED ${failure}`);
if (failures.length === 0) print("\nAll as it must be: ours broke no promise, and the others broke theirs.");
process.exitCode = failures.length === 0 ? 0 : 1;
