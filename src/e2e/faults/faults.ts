/**
 * One reader, nothing acknowledged lost: measured under faults, with two programs beside ours that
 * must fail. Prints a table; ends with 1 where ours breaks a promise or where one of the others,
 * declared to fail under a fault, does not.
 *
 *     npm run faults [-- --only WORD] [--secrets 100] [--episodes 5]
 */
import { parseArgs } from "node:util";
import { allFaults } from "./all-faults.ts";
import { type Outcome, runFault } from "./run-fault.ts";
import { tableOf } from "./table.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    secrets: { type: "string", default: "100" },
    episodes: { type: "string", default: "1000" },
  },
});
const print = (line: string) => process.stdout.write(`${line}\n`);
const amount = { secrets: Number(values.secrets), episodes: Number(values.episodes) };
const chosen = allFaults.filter(({ name }) => name.includes(values.only));
if (chosen.length === 0 || !(amount.secrets >= 1) || !(amount.episodes >= 1)) {
  throw new RangeError("--only is part of a fault's name, --secrets and --episodes are counts.");
}

const outcomes: Outcome[] = [];
for (const fault of chosen) {
  const rows = await runFault(fault, amount);
  outcomes.push(...rows);
  for (const line of tableOf(rows).slice(outcomes.length === rows.length ? 0 : 2)) print(line);
}
const failures = outcomes.filter((outcome) => outcome.failures.length > 0);
for (const { failures: why, file } of failures) {
  for (const sentence of why) print(`FAILED ${sentence}`);
  print(`  every call is in ${file}`);
}
if (failures.length === 0)
  print("\nAll as it must be: ours keeps its promises, and the others break theirs.");
process.exitCode = failures.length === 0 ? 0 : 1;
