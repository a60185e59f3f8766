import { type Rules, rulesSchema } from "../access/rules.ts";
import { findCountry } from "../envelope/countries.ts";
import { opensBetween } from "../envelope/office-hours.ts";
import { type FormFields, textOf } from "./form-body.ts";
import { FormError } from "./form-page.ts";
import type { RulesForm } from "./views.ts";

/** What the form's fields on who may open hold, to be put back into them. */
export interface EnteredRules {
  /** Separated by spaces, commas or line breaks. */
  readonly networks: string;
  /** Codes or English names, separated by commas or line breaks. */
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

const WEEK = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const ZONES = [...new Set(["UTC", ...Intl.supportedValuesOf("timeZone")])].sort();

export function readEnteredRules(fields: FormFields): EnteredRules {
  const text = (name: string) => textOf(fields, name).trim();
  return {
    networks: text("networks"),
    countries: text("countries"),
    notBefore: text("not-before"),
    inHours: fields.has("in-hours"),
    days: WEEK.flatMap((_, i) => (fields.has(`day-${i + 1}`) ? [i + 1] : [])),
    from: text("hours-from"),
    to: text("hours-to"),
    zone: text("hours-zone"),
  };
}

/** What the page shows of it. */
export function describeEnteredRules({ days, zone: chosen, ...entered }: EnteredRules): RulesForm {
  const { networks, countries, notBefore, inHours } = entered;
  return {
    ...entered,
    any: inHours || [networks, countries, notBefore].some((value) => value !== ""),
    days: WEEK.map((name, i) => ({ name, checked: days.includes(i + 1) })),
    zones: ZONES.map((zone) => ({ zone, words: zone.replaceAll("_", " "), chosen: zone === chosen })),
  };
}

const split = (text: string, at: RegExp) => text.split(at).filter((item) => item !== "");

function codeOf(country: string): string {
  const code = findCountry(country, "en");
  if (code !== undefined) return code;
  throw new FormError(
    "countries",
    `We don't know the country ${country}. Write its English name, or its code, such as DE`,
  );
}

/** Of the two ends of a day, a clock shows only the first. */
const lastMinute = (to: string) => (to === "00:00" ? "24:00" : to);

/** By the schema's field, the longest name first: the page's field, and words where the schema's are for programs. */
const FIELDS: readonly (readonly [string, string, string?])[] = [
  ["hours.days", "day-1", "Choose a day, or switch off the office hours"],
  ["hours.from", "hours-from", "Enter when the office opens, such as 09:00"],
  ["hours.to", "hours-to", "Enter when the office closes, such as 17:00"],
  ["hours.zone", "hours-zone", "Choose a time zone from the list"],
  ["notBefore", "not-before", "Enter a date and a time, such as 2026-01-31T08:00"],
  ["countries", "countries"],
  ["networks", "networks"],
];

/**
 * The rules as the API takes them; undefined where everybody who has the link may open it. `now` and
 * `expiresAt` in milliseconds since 1970. Throws FormError for the first field that is wrong.
 */
export function parseEnteredRules(
  entered: EnteredRules,
  { now, expiresAt }: { readonly now: number; readonly expiresAt: number },
): Rules | undefined {
  const { notBefore, inHours, days, from, to, zone } = entered;
  const networks = split(entered.networks, /[\s,]+/);
  const countries = split(entered.countries, /\s*[,;\n]\s*/);
  if (networks.length + countries.length === 0 && notBefore === "" && !inHours) return undefined;
  if (inHours && from !== "" && from === lastMinute(to))
    throw new FormError("hours-to", "The office opens and closes at the same time. Enter another");
  const { success, data, error } = rulesSchema.safeParse({
    ...(networks.length > 0 ? { networks } : {}),
    ...(countries.length > 0 ? { countries: countries.map(codeOf) } : {}),
    // Browsers leave out seconds that are 0.
    ...(notBefore === "" ? {} : { notBefore: `${notBefore}${notBefore.length === 16 ? ":00" : ""}Z` }),
    ...(inHours ? { hours: { zone, days, from, to: lastMinute(to) } } : {}),
  });
  if (!success) {
    const [issue] = error.issues;
    const path = issue?.path.join(".") ?? "";
    const [, field = "networks", words] = FIELDS.find(([name]) => path.startsWith(name)) ?? [];
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
