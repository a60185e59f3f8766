import { randomBytes } from "node:crypto";
import { canonicalForm, hashOf, NO_HASH } from "./canonical.ts";
import { AUDIT_FORMAT, type AuditLine, type AuditRecord, type Link } from "./record.ts";

/** The last line of a chain that has been written. */
export interface Position {
  readonly chain: string;
  readonly seq: number;
  readonly hash: string;
}

/** Where lines go. Is called at once, must not wait and must not throw. `form` is the canonical one. */
export type Sink = (line: AuditLine, form: string, position: Position) => void;

/** `begin` writes these. */
type Given = Exclude<AuditRecord, { audit: "trail-started" }>;

export interface Trail {
  /** Writes the first line, where it isn't written yet. */
  begin(): void;
  /** Gives the record its place in the chain and hands it to every sink. */
  write(record: Given): void;
  /** Undefined while nothing is written. */
  position(): Position | undefined;
  /** From now on lines go there too. */
  follow(sink: Sink): void;
}

export interface TrailOptions {
  /** The program's version; the first line says it. Without one there is no such line. */
  readonly version?: string | undefined;
  readonly sinks: readonly Sink[];
  /** Milliseconds since 1970. */
  readonly clock?: () => number;
}

/**
 * The chain of one run of one process: every line holds its number and the hash of the line before.
 * Who changes, removes, adds or moves a line of it later has to write all that follow anew, and what
 * is anchored elsewhere by then can't be.
 */
export function createTrail({ version, sinks, clock = Date.now }: TrailOptions): Trail {
  const chain = randomBytes(15).toString("base64url");
  const followers = [...sinks];
  let last: Position | undefined;

  function append(record: AuditRecord): void {
    const link: Link = {
      at: new Date(clock()).toISOString(),
      chain,
      seq: last === undefined ? 0 : last.seq + 1,
      prev: last?.hash ?? NO_HASH,
    };
    const line: AuditLine = { ...record, ...link };
    const form = canonicalForm({ ...line });
    if (form === undefined) throw new TypeError(`A line about ${record.audit} holds what no line may.`);
    const position = { chain, seq: link.seq, hash: hashOf(form) };
    last = position;
    for (const sink of followers) sink(line, form, position);
  }

  function begin(): void {
    if (last === undefined && version !== undefined)
      append({ audit: "trail-started", version, format: AUDIT_FORMAT });
  }

  return {
    begin,
    write(record) {
      begin();
      append(record);
    },
    position: () => last,
    follow: (sink) => void followers.push(sink),
  };
}
