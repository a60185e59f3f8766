import type { MarkerKind } from "./markers.ts";
import { type Look, type Measured, PHASES } from "./measure.ts";

const KINDS: readonly MarkerKind[] = [
  "share",
  "share, not acknowledged",
  "ciphertext",
  "plaintext",
  "passphrase",
  "link key",
];

const SHARES: readonly MarkerKind[] = ["share", "share, not acknowledged"];
const READABLE: readonly MarkerKind[] = ["plaintext", "passphrase", "link key"];

/** What was found that must not be: one sentence each. */
export function findBreaches({ mode, looks, blind }: Measured): string[] {
  const breaches = blind.map((place) => `${mode}, ${place}: the search did not find what was put there`);
  const refuse = ({ place, phase, finds }: Look, kinds: readonly MarkerKind[]) => {
    for (const kind of kinds) {
      const count = finds.count(kind);
      if (count > 0)
        breaches.push(`${mode}, ${place.owner}, ${place.kind}, ${phase}: ${kind} of ${count} secrets`);
    }
  };
  for (const look of looks) {
    const { kind, holdsShares, owner } = look.place;
    if (kind === "disk" || kind === "log" || kind === "slow log") refuse(look, [...SHARES, ...READABLE]);
    if (kind === "memory" && owner !== "Node.js") {
      refuse(look, READABLE);
      if (!holdsShares) refuse(look, SHARES);
      else if (mode !== "replica" && look.phase.startsWith("after")) refuse(look, SHARES);
    }
  }
  return breaches;
}

/** The table: how many secrets left something, by place and kind, and when. */
export function describe({ mode, looks }: Measured): string {
  const lines: string[][] = [["Place", "What", ...PHASES]];
  const places = [...new Set(looks.map(({ place }) => place))];
  for (const place of places) {
    for (const kind of KINDS) {
      const counts = PHASES.map((phase) => {
        const look = looks.find((it) => it.place === place && it.phase === phase);
        return look?.finds.count(kind) ?? 0;
      });
      const ages = PHASES.map(
        (phase) => looks.find((it) => it.place === place && it.phase === phase)?.age ?? 0,
      );
      if (counts.every((count) => count === 0)) continue;
      lines.push([
        `${place.owner}, ${place.kind}`,
        kind,
        ...counts.map((count, i) => (i === 0 ? String(count) : `${count} (${ages[i]} s)`)),
      ]);
    }
  }
  const widths =
    lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
  const rows = lines.map((line) => `| ${line.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`);
  const empty = places
    .filter((place) => looks.every((look) => look.place !== place || look.finds.hits.length === 0))
    .map(({ owner, kind }) => `${owner} ${kind}`);
  return `\n${mode}\n${rows.join("\n")}\nNothing at any time in: ${empty.join(", ") || "none"}`;
}
