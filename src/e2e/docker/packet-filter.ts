// What an engine changes on the machine outside its own folders: chains in the packet filter, and whether
// the machine forwards packets. Noted before the first engine starts and put back after the last has ended.

import { spawnSync } from "node:child_process";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";

const FORWARDING = "/proc/sys/net/ipv4/ip_forward";
const PROGRAMS = ["iptables", "ip6tables"] as const;

type Before = {
  /** A note from before a restart of the machine says nothing about it. */
  readonly boot: string;
  readonly forwarding: string;
  readonly filters: Readonly<Record<string, { readonly forward: string; readonly chains: boolean }>>;
};

const options = { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` }, timeout: 10_000 };

function saved(program: string): string {
  return spawnSync(`${program}-save`, { ...options, encoding: "utf8" }).stdout ?? "";
}

/** Undefined also where the file can't be read: it is as good as absent. */
function noted(file: string): Before | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Before;
  } catch {
    return undefined;
  }
}

const boot = () => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

/** Writes what there is now to `file`, unless the file of a run that was killed tells it already. */
export function noteNetwork(file: string): void {
  if (noted(file)?.boot === boot()) return;
  const filters = Object.fromEntries(
    PROGRAMS.map((program) => {
      const text = saved(program);
      const forward = /^:FORWARD (\w+)/m.exec(text)?.[1] ?? "ACCEPT";
      return [program, { forward, chains: /^:DOCKER/m.test(text) }];
    }),
  );
  const before: Before = { boot: boot(), forwarding: readFileSync(FORWARDING, "utf8"), filters };
  // Whoever is killed meanwhile leaves no half of it.
  writeFileSync(`${file}.new`, JSON.stringify(before));
  renameSync(`${file}.new`, file);
}

/** The rules that take an engine's rules and chains out of `text`, what `iptables-save` prints. */
export function undoing(text: string, forward: string): string {
  const lines: string[] = [];
  let chains: string[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("*")) lines.push(line);
    if (line.startsWith("*filter")) lines.push(`:FORWARD ${forward}`);
    const chain = /^:(DOCKER\S*)/.exec(line)?.[1];
    if (chain !== undefined) chains.push(chain);
    // Chains are emptied below; only what stands in other chains is taken out one by one.
    if (/^-A (?!DOCKER)/.test(line) && /DOCKER| docker0\b| br-[0-9a-f]{12}\b/.test(line)) {
      lines.push(line.replace("-A", "-D"));
    }
    if (line === "COMMIT") {
      lines.push(...chains.map((name) => `-F ${name}`), ...chains.map((name) => `-X ${name}`), line);
      chains = [];
    }
  }
  return `${lines.join("\n")}\n`;
}

/** Only where no engine had put chains there before, whose they would be. */
export function restoreNetwork(file: string): void {
  const before = noted(file);
  if (before === undefined) return;
  for (const program of PROGRAMS) {
    const { forward, chains } = before.filters[program] ?? { forward: "ACCEPT", chains: true };
    const text = saved(program);
    if (chains || !/^:DOCKER/m.test(text)) continue;
    spawnSync(`${program}-restore`, ["--noflush"], { ...options, input: undoing(text, forward) });
  }
  writeFileSync(FORWARDING, before.forwarding);
  rmSync(file);
}
