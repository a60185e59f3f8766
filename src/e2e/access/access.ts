/**
 * Attempts to open that rules refuse, 1,000 for each kind of store, and what they used up. Ends with 1
 * where that is anything.
 *
 *   npm run access
 */
import { createReport } from "../abuse/report.ts";
import { STORES } from "./stores.ts";

const PLAN = { secrets: 25, attempts: 10 };

const report = createReport();
const rows = [
  ["store", "reason", "attempts", "refused", "noted on receipts", "used up", "opened afterwards"],
];
let wrong = 0;
for (const [store, run] of Object.entries(STORES)) {
  for (const { reason, attempts, refused, noted, usedUp, secrets, opened } of await run(PLAN)) {
    wrong += attempts - refused + usedUp + (secrets - opened) + (secrets - noted);
    const of = (count: number) => `${count} of ${secrets}`;
    rows.push([store, reason, String(attempts), String(refused), of(noted), of(usedUp), of(opened)]);
  }
}
report.table(rows);
report.rule(wrong === 0, "a refused attempt uses nothing up");
process.exitCode = wrong === 0 ? 0 : 1;
