import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Documentation, describeSettings } from "../config/schema.ts";
import { renderAcl } from "./redis-acl.ts";

/** What stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->` in README.md, by name. */
export const generated: Readonly<Record<string, () => string>> = {
  config: renderSettings,
  "redis-acl": renderAcl,
  node: () => readJson("../../package.json").engines.node.replace(">=", ""),
};

/**
 * The README with every generated part brought up to date; the rest is left alone. A part whose markers
 * share a line stays in that line. Throws where the table of settings has no place, or a marker no pair.
 */
export function updateReadme(text: string): string {
  if (!text.includes("<!-- config:begin -->")) {
    throw new Error(
      "README.md has no place for its table. Put <!-- config:begin --> and <!-- config:end --> into it.",
    );
  }
  let updated = text;
  for (const [, name = ""] of text.matchAll(/<!-- ([a-z-]+):(?:begin|end) -->/g)) {
    const render = Object.hasOwn(generated, name) ? generated[name] : undefined;
    const part = new RegExp(`(<!-- ${name}:begin -->)([^]*?)(<!-- ${name}:end -->)`);
    if (render === undefined)
      throw new Error(`README.md asks for ${name}, which is not in src/build/readme.ts.`);
    if (!part.test(text)) throw new Error(`README.md: ${name} needs both markers, begin before end.`);
    updated = updated.replace(part, (_, begin: string, old: string, end: string) => {
      const edge = old.includes("\n") ? "\n" : "";
      return `${begin}${edge}${render()}${edge}${end}`;
    });
  }
  return updated;
}

function renderSettings(): string {
  const rows = describeSettings().map((setting) => [
    renderName(setting),
    renderDefault(setting),
    setting.about,
    setting.kind,
  ]);
  return `${renderTable([["Setting", "Default", "What it does", "Values"], ...rows])}

Durations are a whole number and \`s\`, \`m\`, \`h\` or \`d\` (short ones \`ms\` or \`s\`); sizes a whole number and
\`B\`, \`kB\`, \`MB\`, \`GB\` (powers of 1000) or \`KiB\`, \`MiB\`, \`GiB\` (powers of 1024). A number without a unit is
refused, except \`0\`. An empty variable counts as unset. Where \`NAME_FILE\` is given instead, the value is read from
the file at that path, and a newline at its end is dropped. Mistakes are all reported at once, misspelt names among
them, and nothing starts until they are corrected.`;
}

function renderName({ name, source }: Documentation & { readonly name: string }): string {
  return source === "value-or-file" ? `\`${name}\` or \`${name}_FILE\`` : `\`${name}\``;
}

function renderDefault({ default: text, defaultNote }: Documentation): string {
  // Lists may break after their commas; a code span would not.
  if (text !== undefined) return `\`${text.replaceAll(",", "`, `")}\``;
  return defaultNote ?? "none";
}

/** With columns of even width, as the formatter wants them. */
function renderTable(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0)),
  );
  const lines = cells.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)));
  lines.splice(
    1,
    0,
    widths.map((width) => "-".repeat(width)),
  );
  return lines.map((line) => `| ${line.join(" | ")} |`).join("\n");
}

function readJson(path: string) {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const readme = new URL("../../README.md", import.meta.url);
  writeFileSync(readme, updateReadme(readFileSync(readme, "utf8")));
}
