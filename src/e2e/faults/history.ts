/** What the people of an episode did and were told, one call a line: all that the checker knows. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Call {
  readonly op: "create" | "open" | "receipt";
  readonly secret: string;
  /** For `open`: who asks. Calls with the same claim token come from the same reader. */
  readonly reader?: string;
  /** A digest of the share: the one that a create sent, or that an open was handed. */
  readonly share?: string;
  /** Milliseconds by this process' monotonic clock. */
  readonly start: number;
  readonly end: number;
  /** The status; `broken` where the connection ended without one; `none` where the client gave up. */
  readonly answer: number | "broken" | "none";
  /** Where the answer names one. */
  readonly state?: string;
  /** Asked when everything was whole again. */
  readonly probe?: true;
}

export interface History {
  readonly file: string;
  add(call: Call): void;
  /** For when there is nothing to look at. */
  remove(): void;
}

/** A file of its own in the system's temporary folder. It stays there, unless removed. */
export function createHistory(name: string): History {
  const folder = mkdtempSync(join(tmpdir(), "waxseal-faults-"));
  const file = join(folder, `${name.replaceAll(/[^a-z0-9]+/gi, "-")}.jsonl`);
  appendFileSync(file, "");
  return {
    file,
    add: (call) => appendFileSync(file, `${JSON.stringify(call)}\n`),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

export function readHistory(file: string): Call[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Call);
}
