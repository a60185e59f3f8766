import { mkdtempSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MEMORY = "/dev/shm";

/**
 * A new folder in memory, where the system has that: what Redis and Sentinel get from the chart and from
 * compose.yaml. A busy disk would hold them up: Sentinel waits for it at each change of what it knows, and one
 * that stands still for two seconds holds back from everything for thirty (its "tilt mode").
 */
export function memoryFolder(name: string): string {
  const inMemory = statSync(MEMORY, { throwIfNoEntry: false })?.isDirectory() ?? false;
  return mkdtempSync(join(inMemory ? MEMORY : tmpdir(), `waxseal-${name}-`));
}
