import { createTrail, type Trail } from "./trail.ts";

/** A trail whose log a test can read and tamper with. */
export interface WrittenTrail {
  readonly trail: Trail;
  /** Its lines as pino writes them. */
  readonly lines: string[];
}

/** `version` "": without the line that says it. */
export function writeTrail(events = 0, version = "1.0.0"): WrittenTrail {
  const lines: string[] = [];
  const around = { level: 30, time: 1_767_323_045_000, pid: 7, hostname: "one" };
  const trail = createTrail({
    version: version === "" ? undefined : version,
    sinks: [(line) => void lines.push(JSON.stringify({ ...around, ...line, msg: "words" }))],
  });
  trail.begin();
  for (let i = 1; i <= events; i++) {
    const secret = i.toString(16).padStart(16, "0");
    trail.write({ audit: i % 2 === 0 ? "opened" : "created", secret, requestId: `request-${i}` });
  }
  return { trail, lines };
}
