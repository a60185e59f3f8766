import { z } from "zod";
import { parseNetwork } from "../config/network.ts";
import { ValueError } from "../config/value-error.ts";
import { countryCodes } from "../envelope/countries.ts";

/** Who may open one secret, and when. All that is named must hold. */
export type Rules = Readonly<z.output<typeof rulesSchema>>;

export const MAX_NETWORKS = 32;
export const MAX_COUNTRIES = 64;
const COUNTRIES = new Set(countryCodes());

/** Parses with `parse`, whose error says what to write instead. */
function text<T>(message: string, parse: (value: string) => T | undefined) {
  return z.string({ error: message }).transform((value, context) => {
    let told = message;
    try {
      const parsed = parse(value);
      if (parsed !== undefined) return parsed;
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      told = error.message;
    }
    context.addIssue({ code: "custom", message: told });
    return z.NEVER;
  });
}

function list<T extends z.ZodType>(item: T, max: number, error: string) {
  return z
    .array(item, { error })
    .min(1, { error })
    .max(max, { error })
    .transform((items): z.output<T>[] => [...new Set(items)]);
}

/** RFC 3339 in UTC; one text for each moment. */
function parseMoment(value: string): string | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/.test(value)) return undefined;
  const time = new Date(value);
  // A 30th of February would become a day in March.
  const known = !Number.isNaN(time.getTime()) && time.toISOString().startsWith(value.slice(0, 19));
  return known ? time.toISOString() : undefined;
}

/** A name of the time zone database. Intl takes offsets too, which know no summer time. */
function parseZone(value: string): string | undefined {
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/.test(value) || value.length > 64) return undefined;
  try {
    new Intl.DateTimeFormat("en", { timeZone: value });
    return value;
  } catch {
    return undefined;
  }
}

const timeOf = (pattern: RegExp) => (value: string) => (pattern.test(value) ? value : undefined);
const FROM = "Must be a time from 00:00 to 23:59, such as 09:00.";
const TO = "Must be a time from 00:00 to 24:00, such as 17:30.";
const DAYS = "Must be a list of days, 1 for Monday to 7 for Sunday.";

const hoursSchema = z
  .strictObject(
    {
      zone: text("Must be a time zone's name, such as Europe/Berlin.", parseZone),
      days: list(z.int({ error: DAYS }).min(1, { error: DAYS }).max(7, { error: DAYS }), 7, DAYS),
      from: text(FROM, timeOf(/^([01]\d|2[0-3]):[0-5]\d$/)),
      to: text(TO, timeOf(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/)),
    },
    { error: (issue) => (issue.code === "invalid_type" ? "Must have zone, days, from and to." : undefined) },
  )
  .refine(({ from, to }) => from !== to, {
    path: ["to"],
    error: "Must not be the time in from. For a whole day write 00:00 and 24:00.",
  });

/** As they are sent with a create. */
export const rulesSchema = z
  .strictObject(
    {
      networks: list(
        text("Must be an address or a CIDR range, such as 10.0.0.0/8.", parseNetwork),
        MAX_NETWORKS,
        `Must be a list of 1 to ${MAX_NETWORKS} addresses and CIDR ranges.`,
      ).optional(),
      countries: list(
        text("Must be a country's code of ISO 3166-1 in capitals, such as DE.", (value) =>
          COUNTRIES.has(value) ? value : undefined,
        ),
        MAX_COUNTRIES,
        `Must be a list of 1 to ${MAX_COUNTRIES} country codes.`,
      ).optional(),
      notBefore: text("Must be a time in UTC, such as 2026-01-31T08:00:00Z.", parseMoment).optional(),
      hours: hoursSchema.optional(),
    },
    { error: (issue) => (issue.code === "invalid_type" ? "Must be an object." : undefined) },
  )
  .refine((rules) => Object.values(rules).some((rule) => rule !== undefined), {
    error: "Must name networks, countries, notBefore or hours. Leave it out for no rules.",
  });

/** One text for the same rules, so that a repeated create is an identical one. */
export function formatRules({ networks, countries, notBefore, hours }: Rules): string {
  const ordered = hours && { ...hours, days: hours.days.toSorted() };
  return JSON.stringify({
    networks: networks?.toSorted(),
    countries: countries?.toSorted(),
    notBefore,
    hours: ordered,
  });
}

/** These can't be followed here; a newer version may have written them. */
export class UnreadableRulesError extends Error {
  override readonly name = "UnreadableRulesError";
  readonly code = "unreadable-rules";
}

/** What `formatRules` wrote. Throws UnreadableRulesError: rules that are not understood are never skipped. */
export function parseRules(stored: string): Rules {
  try {
    return rulesSchema.parse(JSON.parse(stored));
  } catch (error) {
    throw new UnreadableRulesError(
      "A secret's rules are of a kind that this version does not know. Update it.",
      {
        cause: error,
      },
    );
  }
}

/** What the schema can't know. `expiresAt` in milliseconds since 1970; `field` as in an `invalid` answer. */
export function ruleErrors(
  { countries, notBefore }: Rules,
  { expiresAt, knowsCountries }: { readonly expiresAt: number; readonly knowsCountries: boolean },
): { field: string; message: string }[] {
  const errors = [];
  if (countries && !knowsCountries) {
    const message =
      "This server can't tell countries: GEOIP_DB is not set. Use networks instead, or leave it out.";
    errors.push({ field: "rules.countries", message });
  }
  if (notBefore && Date.parse(notBefore) >= expiresAt) {
    const message = "Must be before the secret is deleted, or nobody could ever open it.";
    errors.push({ field: "rules.notBefore", message });
  }
  return errors;
}
