import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import type { Search, Searcher } from "./search.ts";

interface Mapping {
  readonly from: number;
  readonly to: number;
  readonly name: string;
}

/**
 * What a process has of its own: everything writable or anonymous that is in memory or swapped out.
 * Left out are its program's and libraries' text, which nobody writes to, and address space that was
 * reserved and never touched.
 */
function mappingsOf(pid: number): Mapping[] {
  const mappings: Mapping[] = [];
  for (const block of readFileSync(`/proc/${pid}/smaps`, "utf8").split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/)) {
    const head = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ (\d+) *(.*)/.exec(block);
    if (!head) continue;
    const [, from = "", to = "", modes = "", inode, name = ""] = head;
    const kilobytes = (field: string) => Number(new RegExp(`^${field}: +(\\d+)`, "m").exec(block)?.[1] ?? 0);
    if (!modes.startsWith("r") || name.startsWith("[v")) continue;
    if (modes[1] !== "w" && inode !== "0") continue;
    if (kilobytes("Rss") + kilobytes("Swap") === 0) continue;
    mappings.push({ from: Number.parseInt(from, 16), to: Number.parseInt(to, 16), name });
  }
  return mappings;
}

const CHUNK = 4 << 20;

/** Reads the memory of a running process, piece by piece. Needs the right to trace it. */
export function searchMemory(pid: number, { overlap }: Searcher, search: Search): void {
  const memory = openSync(`/proc/${pid}/mem`, "r");
  const chunk = Buffer.alloc(CHUNK + overlap);
  try {
    for (const { from, to, name } of mappingsOf(pid)) {
      for (let at = from; at < to; at += CHUNK) {
        const wanted = Math.min(chunk.length, to - at);
        let read = 0;
        try {
          read = readSync(memory, chunk, 0, wanted, at);
        } catch (error) {
          // A mapping may go between the list and the look.
          if (error instanceof Error && "code" in error && error.code === "EIO") continue;
          throw error;
        }
        search.look(chunk.subarray(0, read), name === "" ? "anonymous" : name);
      }
    }
  } finally {
    closeSync(memory);
    chunk.fill(0);
  }
}
