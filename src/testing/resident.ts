import { readFileSync } from "node:fs";

/** Bytes that the system has given to a process (VmRSS). Linux only: it reads /proc. */
export function residentBytes(pid: number | undefined): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(line?.[1] ?? Number.NaN) * 1024;
}
