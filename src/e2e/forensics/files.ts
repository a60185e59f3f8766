import { closeSync, openSync, readdirSync, readlinkSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Search, Searcher } from "./search.ts";

const CHUNK = 1 << 20;

export function searchFile(path: string, { overlap }: Searcher, search: Search): void {
  const file = openSync(path, "r");
  const chunk = Buffer.alloc(CHUNK + overlap);
  try {
    for (let at = 0; ; at += CHUNK) {
      const read = readSync(file, chunk, 0, chunk.length, at);
      search.look(chunk.subarray(0, read), path);
      if (read < chunk.length) break;
    }
  } finally {
    closeSync(file);
  }
}

/** Every file below a folder, temporary ones included. */
export function searchFolder(folder: string, searcher: Searcher, search: Search): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const path = join(folder, name);
    if (statSync(path).isFile()) searchFile(path, searcher, search);
  }
}

/** Files that a process still has open after they were deleted. */
export function searchDeleted(pid: number, searcher: Searcher, search: Search): void {
  for (const name of readdirSync(`/proc/${pid}/fd`)) {
    const path = `/proc/${pid}/fd/${name}`;
    let target: string;
    try {
      target = readlinkSync(path);
    } catch {
      continue; // closed meanwhile
    }
    if (target.endsWith(" (deleted)") && statSync(path).isFile()) searchFile(path, searcher, search);
  }
}
