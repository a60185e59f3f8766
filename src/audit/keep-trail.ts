import { setTimeout as wait } from "node:timers/promises";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { Config, SyslogReceiver } from "../config/config.ts";
import type { Anchors } from "../store/anchors.ts";
import { type Anchoring, startAnchoring } from "./anchoring.ts";
import { createLogSink } from "./log-sink.ts";
import { createSyslog, type Syslog } from "./syslog.ts";
import { createSyslogMetrics } from "./syslog-metrics.ts";
import { createTrail, type Trail } from "./trail.ts";

export interface KeepTrailOptions {
  readonly version: string;
  readonly log: Logger;
  /** Undefined: nothing outlasts this process, so there is nothing to anchor to. */
  readonly anchors: Anchors | undefined;
  readonly config: Pick<Config, "auditSyslog">;
  readonly registry: Registry;
}

export interface KeptTrail extends Trail {
  /** Writes the last line, anchors it and sends what is left, or gives that up within half a second. */
  close(): Promise<void>;
}

/** Milliseconds for what is still to be kept elsewhere at the end: one of the last seconds before a SIGKILL. */
const LAST_WORDS = 500;

function sendTo(receiver: SyslogReceiver, trail: Trail, log: Logger, registry: Registry): Syslog {
  const metrics = createSyslogMetrics(registry);
  const syslog = createSyslog({ ...receiver, trail, log, onDropped: () => metrics.dropped.inc() });
  metrics.follow(syslog.waiting);
  return syslog;
}

/** The trail of this process's run: on the log, anchored in the store, and sent to a syslog receiver. */
export function keepTrail({ version, log, anchors, config, registry }: KeepTrailOptions): KeptTrail {
  const trail = createTrail({ version, sinks: [createLogSink(log)] });
  const syslog = config.auditSyslog && sendTo(config.auditSyslog, trail, log, registry);
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
