import type { Logger } from "pino";
import type { AuditLine } from "./record.ts";
import type { Sink } from "./trail.ts";

function wordsOf(line: AuditLine): string {
  if (!("secret" in line)) return line.audit.replaceAll("-", " ");
  return line.audit === "notified" || line.audit === "notification-dead"
    ? line.audit.replace("-", " ")
    : `secret ${line.audit}`;
}

/**
 * On the same log as the requests, told apart by `audit`. Written whatever the log's level, `silent`
 * apart: a trail that a log level switches off would look like one that somebody has cut.
 */
export function createLogSink(log: Logger): Sink {
  const lines = log.child({}, { level: log.level === "silent" ? "silent" : "info" });
  return (line) => lines.info(line, wordsOf(line));
}
