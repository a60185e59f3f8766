/**
 * Every end of 1,000 secrets told at least once, with one key: three replicas, of which one is killed
 * half-way. Prints how often each event arrived; ends with 1 where one was lost or has two keys.
 *
 *     npm run notifications [-- --secrets 1000] [--short]
 */
import { parseArgs } from "node:util";
import { linesOf } from "./lines.ts";
import { runRig } from "./rig.ts";
import { faultsOf } from "./tally.ts";

const { values } = parseArgs({
  options: { secrets: { type: "string" }, short: { type: "boolean", default: false } },
});
const secrets = Number(values.secrets ?? (values.short ? 90 : 1000));
if (!Number.isInteger(secrets) || secrets < 6) throw new RangeError("--secrets is a count of at least 6.");

const print = (line: string) => process.stdout.write(`${line}\n`);
const outcome = await runRig({ secrets, pace: values.short ? 20 : 10, hurry: values.short });
for (const line of linesOf(outcome)) print(line);
const faults = faultsOf(outcome);
for (const fault of faults) print(`FAILED ${fault}`);
process.exitCode = faults.length === 0 ? 0 : 1;
