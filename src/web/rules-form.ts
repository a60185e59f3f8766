import { MAX_COUNTRIES, MAX_NETWORKS, type Rules, rulesSchema } from "../access/rules.ts";
import { findCountry } from "../envelope/countries.ts";
import { closingTime, opensBetween } from "../envelope/office-hours.ts";
import { DAYS } from "../envelope/rule-words.ts";
import { type FormFields, textOf } from "./form-body.ts";
import { FormError, SEND } from "./form-page.ts";
import type { RulesForm } from "./views.ts";

/** What the form's fields on who may open hold, to be put back into them. */
export interface EnteredRules {
  /** Separated by spaces, commas, semicolons or line breaks. */
  readonly networks: string;
  /** Codes or English names, separated by commas, semicolons or line breaks. */
  readonly countries: string;
  /** As a `datetime-local` field gives it, in UTC. */
  readonly notBefore: string;
  readonly inHours: boolean;
  /** 1 is Monday. */
  readonly days: readonly number[];
  /** As `time` fields give them. */
  readonly from: string;
  readonly to: string;
  readonly zone: string;
}

/** As the form is at first. */
export const NO_RULES: EnteredRules = {
  networks: "",
  countries: "",
  notBefore: "",
  inHours: false,
  days: [1, 2, 3, 4, 5],
  from: "09:00",
  to: "17:00",
  zone: "UTC",
};

const ZONES = [...new Set(["UTC", ...Intl.supportedValuesOf("timeZone")])].sort();
/** Characters of a list that may be taken apart: more than its longest items together. */
const LONGEST_LIST = 4_096;

export function readEnteredRules(fields: FormFields): EnteredRules {
  const text = (name: string) => textOf(fields, name).trim();
  const hours = {
    days: DAYS.flatMap((_, i) => (fields.has(`day-${i + 1}`) ? [i + 1] : [])),
    from: text("hours-from"),
    to: text("hours-to"),
    zone: text("hours-zone"),
  };
  return {
    ...NO_RULES,
    networks: text("networks"),
    countries: text("countries"),
    notBefore: text("not-before"),
    inHours: fields.has("in-hours"),
    // Who sends a form of their own may not know hours.
    ...(fields.has("hours-zone") ? hours : {}),
  };
}

/** What the page shows of it. */
export function describeEnteredRules({ days, zone: chosen, ...entered }: EnteredRules): RulesForm {
  const { networks, countries, notBefore, inHours } = entered;
  return {
    ...entered,
    any:
      inHours ||
      hoursChanged({ days, zone: chosen, ...entered }) ||
      `${networks}${countries}${notBefore}` !== "",
    days: DAYS.map((name, i) => ({ name, checked: days.includes(i + 1) })),
    zones: ZONES.map((zone) => ({ zone, words: zone.replaceAll("_", " "), chosen: zone === chosen })),
  };
}

const hoursChanged = ({ days, from, to, zone }: EnteredRules) =>
  days.join() !== NO_RULES.days.join() ||
  from !== NO_RULES.from ||
  to !== NO_RULES.to ||
  zone !== NO_RULES.zone;

/** The items of a field's list. Throws FormError where there are more than `most`. */
function listOf(field: "networks" | "countries", text: string, at: RegExp, most: number): string[] {
  const tooMany = (count: string) =>
    new FormError(field, `${count} ${field} are too many. The limit is ${most}`);
  if (text.length > LONGEST_LIST) throw tooMany("So many");
  const items = text
    .split(at)
    .map((item) => item.trim())
    .filter((item) => item !== "");
  const different = [...new Set(items)];
  if (different.length > most) throw tooMany(String(different.length));
  return different;
}

function codeOf(country: string): string {
  const code = findCountry(country, "en");
  if (code !== undefined) return code;
  throw new FormError(
    "countries",
    `We don't know the country ${country}. Write its English name, or its code, such as DE`,
  );
}

/** Where a field of the schema stands on the page, and words where the schema's are for programs. */
const FIELDS: readonly (readonly [name: string, field: string, words?: string])[] = [
  ["hours.days", "day-1", "Choose a day, or switch off the office hours"],
  ["hours.from", "hours-from", "Enter when the office opens, such as 09:00"],
  ["hours.to", "hours-to", "Enter when the office closes, such as 17:00"],
  ["hours.zone", "hours-zone", "Choose a time zone from the list"],
  ["notBefore", "not-before", "Enter a date and a time, such as 2026-01-31T08:00"],
  ["networks", "networks"],
];

export interface Circumstances {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly expiresAt: number;
  /** Without that, the page has no field for them. */
  readonly knowsCountries: boolean;
}

/**
 * The rules as the API takes them; undefined where everybody who has the link may open it. Throws
 * FormError for one field that is wrong.
 */
export function parseEnteredRules(
  entered: EnteredRules,
  { now, expiresAt, knowsCountries }: Circumstances,
): Rules | undefined {
  const { notBefore, inHours, days, from, zone } = entered;
  const to = closingTime(entered.to);
  const networks = listOf("networks", entered.networks, /[\s,;]/, MAX_NETWORKS);
  if (entered.countries !== "" && !knowsCountries)
    throw new FormError(SEND, "This server can't tell countries. Leave them out");
  const countries = listOf("countries", entered.countries, /[,;\n]/, MAX_COUNTRIES).map(codeOf);
  // Sealed without them, it would be for whoever comes at whatever time.
  if (!inHours && hoursChanged(entered))
    throw new FormError("in-hours", "You have set office hours. Tick here that they count, or set them back");
  if (inHours && from !== "" && from === to)
    throw new FormError("hours-to", "The office opens and closes at the same time. Enter another");
  if (networks.length + countries.length === 0 && notBefore === "" && !inHours) return undefined;
  const { success, data, error } = rulesSchema.safeParse({
    ...(networks.length > 0 ? { networks } : {}),
    ...(countries.length > 0 ? { countries } : {}),
    // Browsers leave out seconds that are 0.
    ...(notBefore === "" ? {} : { notBefore: `${notBefore}${notBefore.length === 16 ? ":00" : ""}Z` }),
    ...(inHours ? { hours: { zone, days, from, to } } : {}),
  });
  if (!success) {
    const [issue] = error.issues;
    const path = issue?.path.join(".") ?? "";
    const [, field = SEND, words] = FIELDS.find(([name]) => path.startsWith(name)) ?? [];
    throw new FormError(field, words ?? issue?.message ?? "Correct who may open");
  }
  // Most likely a local time: refused rather than sealed for whoever comes at once.
  const begins = data.notBefore === undefined ? now : Date.parse(data.notBefore);
  if (data.notBefore !== undefined && begins <= now)
    throw new FormError("not-before", "That time is over. Choose a later one in UTC, or none");
  if (data.hours && begins < expiresAt && !opensBetween(data.hours, begins, expiresAt)) {
    throw new FormError(
      "in-hours",
      "The secret is deleted before the office opens. Delete it later, or choose more hours",
    );
  }
  return data;
}
