import type { OfficeHours, Rules } from "./api.ts";
import { countryName } from "./countries.ts";

export const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

const either = (words: readonly string[]) => new Intl.ListFormat("en", { type: "disjunction" }).format(words);

/** "Monday to Friday", "Monday, Wednesday and Sunday" */
function dayWords(days: readonly number[]): string {
  const spans: number[][] = [];
  for (const day of [...days].sort()) {
    const last = spans.at(-1);
    if (last?.at(-1) === day - 1) last.push(day);
    else spans.push([day]);
  }
  const name = (day?: number) => DAYS[(day ?? 0) - 1] ?? "";
  const words = spans.flatMap((span) =>
    span.length > 2 ? [`${name(span[0])} to ${name(span.at(-1))}`] : span.map(name),
  );
  return new Intl.ListFormat("en").format(words);
}

const hourWords = ({ days, from, to, zone }: OfficeHours) =>
  `Only ${dayWords(days)}, ${from} to ${to} in ${zone.replaceAll("_", " ")}.`;

/** Who may open, one sentence for each rule. */
export function ruleWords(
  { networks, countries, notBefore, hours }: Rules,
  formatTime: (time: Date) => string,
): string[] {
  return [
    ...(networks ? [`Only from ${either(networks)}.`] : []),
    ...(countries ? [`Only in ${either(countries.map(countryName))}.`] : []),
    ...(notBefore ? [`Not before ${formatTime(new Date(notBefore))}.`] : []),
    ...(hours ? [hourWords(hours)] : []),
  ];
}
