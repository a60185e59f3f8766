import { setTimeout as wait } from "node:timers/promises";
import type { Logger } from "pino";
import type { Config } from "../config/config.ts";
import type { Anchors } from "../store/anchors.ts";
import { type Anchoring, startAnchoring } from "./anchoring.ts";
import { createLogSink } from "./log-sink.ts";
import { createSyslog } from "./syslog.ts";
import { createTrail, type Trail } from "./trail.ts";

export interface KeepTrailOptions {
  readonly version: string;
  readonly log: Logger;
  /** Undefined: nothing outlasts this process, so there is nothing to anchor to. */
  readonly anchors: Anchors | undefined;
  readonly config: Pick<Config, "auditSyslog">;
}

export interface KeptTrail extends Trail {
  /** Writes the last line, anchors it and sends what is left, or gives that up within half a second. */
  close(): Promise<void>;
}

/** Milliseconds for what is still to be kept elsewhere at the end: one of the last seconds before a SIGKILL. */
const LAST_WORDS = 500;

/** The trail of this process's run: on the log, anchored in the store, and sent to a syslog receiver. */
export function keepTrail({ version, log, anchors, config }: KeepTrailOptions): KeptTrail {
  const trail = createTrail({ version, sinks: [createLogSink(log)] });
  const syslog = config.auditSyslog && createSyslog({ ...config.auditSyslog, trail, log });
  const anchoring: Anchoring | undefined = anchors && startAnchoring({ trail, anchors, log });
  return {
    ...trail,
    async close() {
      trail.write({ audit: "trail-ended" });
      const kept = Promise.all([anchoring?.close(), syslog?.flush()]);
      await Promise.race([kept, wait(LAST_WORDS, undefined, { ref: false })]);
      syslog?.close();
    },
  };
}
