/** `skipped`: could not be looked at, for a reason that is told elsewhere or is no fault. */
export type Level = "ok" | "warning" | "problem" | "skipped";

/** One line. The text of a warning or a problem ends with the fix; none ever holds a password or a token. */
export interface Finding {
  readonly level: Level;
  readonly text: string;
}

export const ok = (text: string): Finding => ({ level: "ok", text });
export const warning = (text: string): Finding => ({ level: "warning", text });
export const problem = (text: string): Finding => ({ level: "problem", text });
export const skipped = (text: string): Finding => ({ level: "skipped", text });

/** One thing to look at. */
export interface Check<Subject> {
  readonly name: string;
  /** Where it finds a problem, the checks after it have nothing to look at. */
  readonly gate?: true;
  run(subject: Subject): Promise<readonly Finding[]> | readonly Finding[];
}
