/**
 * npm run forensics -- [--mode memory-only] [--secrets 20] [--assisted 20] [--window 10] [--rounds 200] [--where]
 *
 * Looks for what stays behind of secrets that were opened. Ends with 1 where something stays that must not.
 */
import { parseArgs } from "node:util";
import { MODES, type Mode } from "./deployment.ts";
import { measure } from "./measure.ts";
import { describe, findBreaches } from "./verdict.ts";

const { values } = parseArgs({
  options: {
    mode: { type: "string", multiple: true },
    secrets: { type: "string", default: "20" },
    assisted: { type: "string", default: "20" },
    window: { type: "string", default: "10" },
    rounds: { type: "string", default: "200" },
    conf: { type: "string", default: "" },
    where: { type: "boolean", default: false },
  },
});

// Whoever ends this ends the servers too: they go when the process exits, which a bare signal skips.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

const modes = values.mode ?? MODES;
const isMode = (text: string): text is Mode => (MODES as readonly string[]).includes(text);

for (const mode of modes) {
  if (!isMode(mode)) throw new Error(`There is no mode ${mode}. Choose of ${MODES.join(", ")}.`);
  const measured = await measure(mode, {
    secrets: Number(values.secrets),
    assisted: Number(values.assisted),
    window: Number(values.window),
    rounds: Number(values.rounds),
    conf: values.conf.replaceAll(";", "\n"),
  });
  process.stdout.write(`${describe(measured)}\n`);
  if (values.where) {
    for (const { place, phase, finds } of measured.looks) {
      for (const { marker, form, around } of finds.hits) {
        process.stdout.write(
          `${place.owner} ${place.kind}, ${phase}: ${marker.kind} ${marker.secret} as ${form}: ${around}\n`,
        );
      }
    }
  }
  const breaches = findBreaches(measured);
  for (const breach of breaches) process.stdout.write(`NOT ALLOWED: ${breach}\n`);
  if (breaches.length > 0) process.exitCode = 1;
}
