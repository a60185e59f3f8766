const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
] as const;

/** "24 hours", "1 hour", "30 days": whole units only; up to three days are told in hours. */
export function durationWords(seconds: number): string {
  const [name, size] = UNITS.find(
    ([unit, length]) => seconds % length === 0 && (unit !== "day" || seconds > 3 * length),
  ) ?? ["second", 1];
  const count = seconds / size;
  return `${count} ${name}${count === 1 ? "" : "s"}`;
}
