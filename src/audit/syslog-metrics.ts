import { Counter, Gauge, type Registry } from "prom-client";

export interface SyslogMetrics {
  readonly dropped: Counter;
  /** `count` says how many lines wait, whenever somebody asks. */
  follow(count: () => number): void;
}

/** Where there is a receiver: without one, neither is there. */
export function createSyslogMetrics(registry: Registry): SyslogMetrics {
  const registers = [registry];
  return {
    dropped: new Counter({
      name: "waxseal_audit_syslog_dropped_total",
      help: "Audit lines not sent to the syslog receiver, because too many waited",
      registers,
    }),
    follow(count) {
      new Gauge({
        name: "waxseal_audit_syslog_waiting",
        help: "Audit lines that wait for the syslog receiver",
        registers,
        collect() {
          this.set(count());
        },
      });
    },
  };
}
