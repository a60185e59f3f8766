import type { OfficeHours } from "./office-hours.ts";

/** Who may open a secret, and when, as both sides send it; what is left out doesn't matter. */
interface TellableRules {
  readonly networks?: readonly string[] | undefined;
  /** ISO 3166-1 alpha-2. */
  readonly countries?: readonly string[] | undefined;
  /** RFC 3339. */
  readonly notBefore?: string | undefined;
  readonly hours?: OfficeHours | undefined;
}

/** From Monday on. */
export const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

const either = (words: readonly string[]) => new Intl.ListFormat("en", { type: "disjunction" }).format(words);

/** The pages speak English, and so do their countries. */
export function countryName(code: string): string {
  return new Intl.DisplayNames("en", { type: "region" }).of(code) ?? code;
}

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

/**
 * Who may open, one sentence for each rule: here beside the other words that the pages' scripts and the
 * pages without script have in common.
 */
export function ruleWords(
  { networks, countries, notBefore, hours }: TellableRules,
  formatTime: (time: Date) => string,
): string[] {
  return [
    ...(networks ? [`Only from ${either(networks)}.`] : []),
    ...(countries ? [`Only in ${either(countries.map(countryName))}.`] : []),
    ...(notBefore ? [`Not before ${formatTime(new Date(notBefore))}.`] : []),
    ...(hours ? [hourWords(hours)] : []),
  ];
}

/** Who hears of it. */
export const toldWords = (email: string) => `What becomes of it is told to ${email}.`;
