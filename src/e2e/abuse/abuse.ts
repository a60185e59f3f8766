/**
 * What happens to a server that is abused, in figures. Ends with 1 where a rule is broken.
 *
 *   npm run abuse [-- SECTION …] [--seed N] [--short]
 *
 * Sections: slow, fuzz, cut, timing; the logs of all of them are searched at the end.
 */
import { parseArgs } from "node:util";
import { FULL, runSections, SECTIONS, SHORT } from "./sections.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: "string" }, short: { type: "boolean", default: false } },
});
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
const unknown = positionals.find((name) => !Object.hasOwn(SECTIONS, name));
if (unknown !== undefined || !Number.isSafeInteger(seed)) {
  process.stderr.write(
    `There is no ${unknown ?? `seed ${values.seed}`}. Sections: ${Object.keys(SECTIONS).join(", ")}.\n`,
  );
  process.exit(2);
}
const broken = await runSections(positionals, values.short ? SHORT : FULL, seed);
process.exitCode = broken.length === 0 ? 0 : 1;
