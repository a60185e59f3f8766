/** The environment cannot be used. `problems` holds one sentence or two per fault, each with its fix. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code = "config";
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    const heading = problems.length === 1 ? "1 setting needs" : `${problems.length} settings need`;
    super(
      `Waxseal did not start: ${heading} a correction.\n${problems.map((text) => `  - ${text}`).join("\n")}`,
    );
    this.problems = Object.freeze([...problems]);
  }
}
