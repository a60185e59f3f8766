// Folders in the system's temporary one whose names say which process made them, so that the next run
// can tell what a killed run left behind from what another run is using.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const OURS = /^waxseal-rig-[a-z]+-(\d+\.\d+)-/;

export function temporaryFolder(what: string): string {
  return mkdtempSync(join(tmpdir(), `waxseal-rig-${what}-${markOf(process.pid)}-`));
}

/**
 * A process' id and when it started, `<pid>.<ticks since boot>`: ids come again. Undefined where it has ended,
 * also where its parent has yet to ask how (proc_pid_stat(5)).
 */
export function markOf(pid: number | string): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Its name comes before, in parentheses, and may hold anything.
    const [state = "", ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return /[ZX]/i.test(state) ? undefined : `${pid}.${fields[18]}`;
  } catch {
    return undefined;
  }
}

/** Whether the process with this mark still runs. */
export function isAlive(mark: string): boolean {
  return mark === markOf(mark.split(".")[0] ?? "");
}

type Process = { readonly pid: number; readonly parent: number; readonly command: string };

function processes(): Process[] {
  return readdirSync("/proc").flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      const parent = /^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${entry}/status`, "utf8"))?.[1];
      const command = readFileSync(`/proc/${entry}/cmdline`, "utf8");
      return [{ pid: Number(entry), parent: Number(parent), command }];
    } catch {
      return []; // It has ended meanwhile.
    }
  });
}

/** An engine that had to be killed leaves its containers running; each has a parent that names the folder. */
function endProcesses(folder: string): void {
  const all = processes();
  const ending = new Set(all.filter(({ command }) => command.includes(`${folder}/`)).map(({ pid }) => pid));
  for (let before = -1; before !== ending.size; ) {
    before = ending.size;
    for (const { pid, parent } of all) if (ending.has(parent)) ending.add(pid);
  }
  ending.delete(process.pid);
  for (const pid of ending) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {} // It went with its parent.
  }
}

/** Removes a folder with all that runs in it and is mounted below it. */
export function removeFolder(folder: string): void {
  endProcesses(folder);
  for (const line of readFileSync("/proc/mounts", "utf8").split("\n").reverse()) {
    const target = line.split(" ")[1];
    if (target?.startsWith(`${folder}/`)) spawnSync("umount", ["-l", target], { timeout: 10_000 });
  }
  // What was just killed may be about to write something, or be still on its way out.
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}

export function removeLeftovers(): void {
  for (const name of readdirSync(tmpdir())) {
    const owner = OURS.exec(name)?.[1];
    if (owner !== undefined && !isAlive(owner)) removeFolder(join(tmpdir(), name));
  }
}

/**
 * BuildKit gives files back only some time after it was told to, and an engine that is stopped before
 * forgets that they are there; one that was killed leaves them mounted, too. `root` is the data of an engine that does not run, and whose BuildKit
 * need remember nothing.
 */
export function removeForgottenLayers(root: string, driver: string): void {
  removeFolder(join(root, "buildkit"));
  const layers = join(root, driver === "vfs" ? "vfs/dir" : driver);
  const database = join(root, "image", driver, "layerdb");
  if (!existsSync(layers) || !existsSync(database)) return;
  const known = new Set(
    readdirSync(database, { recursive: true, encoding: "utf8" })
      .filter((path) => /(^|\/)(cache-id|mount-id|init-id)$/.test(path))
      .map((path) => readFileSync(join(database, path), "utf8").trim()),
  );
  for (const name of readdirSync(layers)) {
    // BuildKit's names have 25 characters, the engine's own 64.
    if (name.length === 25 && !known.has(name)) removeFolder(join(layers, name));
  }
}
