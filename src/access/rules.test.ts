import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { countryCodes } from "../envelope/countries.ts";
import { formatRules, parseRules, ruleErrors, rulesSchema, UnreadableRulesError } from "./rules.ts";

const hours = { zone: "Europe/Berlin", days: [1, 2, 3, 4, 5], from: "09:00", to: "17:30" };

function refusals(rules: unknown): string[] {
  const { error } = rulesSchema.safeParse(rules);
  return (error?.issues ?? []).map(({ path, message, ...issue }) => {
    const keys = issue.code === "unrecognized_keys" ? issue.keys : [];
    return `${[...path, ...keys].join(".")}: ${message}`;
  });
}

describe("Rules", () => {
  it("are written in one way, however they were sent", () => {
    const sent = [
      {
        networks: ["2001:DB8::/32", "10.0.0.0/8", "::ffff:10.0.0.0/104"],
        countries: ["DE", "AT", "DE"],
        notBefore: "2026-01-31T08:00:00Z",
        hours: { to: "17:30", from: "09:00", days: [5, 1, 3, 2, 4], zone: "Europe/Berlin" },
      },
      {
        hours,
        notBefore: "2026-01-31T08:00:00.000Z",
        countries: ["AT", "DE"],
        networks: ["10.0.0.0/8", "2001:db8::/32"],
      },
    ].map((rules) => formatRules(rulesSchema.parse(rules)));
    assert.equal(sent[0], sent[1]);
    assert.deepEqual(JSON.parse(sent[0] ?? ""), {
      networks: ["10.0.0.0/8", "2001:db8::/32"],
      countries: ["AT", "DE"],
      notBefore: "2026-01-31T08:00:00.000Z",
      hours,
    });
    assert.equal(formatRules(parseRules(sent[0] ?? "")), sent[0]);
  });

  it("fit into what a store keeps of them, at their largest", () => {
    const networks = Array.from(
      { length: 32 },
      (_, i) => `2001:db8:aaaa:bbbb:cccc:dddd:${(i + 4096).toString(16)}:1/128`,
    );
    const countries = countryCodes().slice(0, 64);
    const zone = "America/Argentina/ComodRivadavia";
    const notBefore = "2026-01-31T08:00:00.123Z";
    const rules = { networks, countries, notBefore, hours: { ...hours, zone, days: [1, 2, 3, 4, 5, 6, 7] } };
    assert(Buffer.byteLength(formatRules(rulesSchema.parse(rules))) <= 4096);
  });

  it("name the field that is wrong, and what it has to be", () => {
    for (const [rules, says] of [
      [null, /^: Must be an object/],
      [{}, /^: Must name networks, countries, notBefore or hours/],
      [{ networks: ["10.0.0.0/8"], network: [] }, /^network: /],
      [{ networks: [] }, /^networks: Must be a list of 1 to 32/],
      [{ networks: "10.0.0.0/8" }, /^networks: Must be a list of 1 to 32/],
      [
        { networks: Array.from({ length: 33 }, (_, i) => `10.0.0.${i}`) },
        /^networks: Must be a list of 1 to 32/,
      ],
      [{ networks: ["10.0.0.0/8", "10.1.2.3/8"] }, /^networks\.1: .*bits set after its prefix/],
      [{ networks: ["office"] }, /^networks\.0: .*neither an address nor a CIDR range/],
      [{ networks: [7] }, /^networks\.0: Must be an address or a CIDR range/],
      [{ countries: ["Germany"] }, /^countries\.0: Must be a country's code/],
      [{ countries: ["de"] }, /^countries\.0: Must be a country's code/],
      [{ countries: ["UK"] }, /^countries\.0: Must be a country's code/],
      [{ countries: countryCodes().slice(0, 65) }, /^countries: Must be a list of 1 to 64/],
      [{ notBefore: "2026-01-31" }, /^notBefore: Must be a time in UTC/],
      [{ notBefore: "2026-01-31T08:00:00+01:00" }, /^notBefore: Must be a time in UTC/],
      [{ notBefore: "2026-02-30T08:00:00Z" }, /^notBefore: Must be a time in UTC/],
      [{ notBefore: 1_769_846_400 }, /^notBefore: Must be a time in UTC/],
      [{ hours: [] }, /^hours: Must have zone, days, from and to/],
      [{ hours: { ...hours, zone: "Berlin" } }, /^hours\.zone: Must be a time zone's name/],
      [{ hours: { ...hours, zone: "+01:00" } }, /^hours\.zone: Must be a time zone's name/],
      [{ hours: { ...hours, days: [0] } }, /^hours\.days\.0: Must be a list of days/],
      [{ hours: { ...hours, days: [] } }, /^hours\.days: Must be a list of days/],
      [{ hours: { ...hours, from: "9:00" } }, /^hours\.from: Must be a time from 00:00 to 23:59/],
      [{ hours: { ...hours, from: "24:00" } }, /^hours\.from: Must be a time from 00:00 to 23:59/],
      [{ hours: { ...hours, to: "24:01" } }, /^hours\.to: Must be a time from 00:00 to 24:00/],
      [{ hours: { ...hours, to: "09:00" } }, /^hours\.to: Must not be the time in from/],
      [{ hours: { ...hours, lunch: true } }, /^hours\.lunch: /],
    ] as const) {
      const told = refusals(rules);
      assert.equal(told.length, 1, JSON.stringify([rules, told]));
      assert.match(told[0] ?? "", says);
    }
  });

  it("take every country of ISO 3166-1, and Kosovo as databases call it", () => {
    for (const code of countryCodes()) assert.deepEqual(refusals({ countries: [code] }), [], code);
    for (const code of ["XX", "ZZ", "EU", "AA", "SU", "AC", "IC"])
      assert.equal(refusals({ countries: [code] }).length, 1, code);
  });

  it("may not begin when the secret is gone, nor ask for countries where no database tells them", () => {
    const at = Date.parse("2026-01-31T08:00:00Z");
    const fieldsOf = (rules: object, expiresAt: number, knowsCountries = true) =>
      ruleErrors(rulesSchema.parse(rules), { expiresAt, knowsCountries }).map(({ field }) => field);
    assert.deepEqual(fieldsOf({ notBefore: "2026-01-31T08:00:00Z" }, at + 1), []);
    assert.deepEqual(fieldsOf({ notBefore: "2026-01-31T08:00:00Z" }, at), ["rules.notBefore"]);
    assert.deepEqual(fieldsOf({ countries: ["DE"] }, at), []);
    assert.deepEqual(fieldsOf({ countries: ["DE"] }, at, false), ["rules.countries"]);
  });

  it("that a newer version may have written are an error, and not skipped", () => {
    for (const stored of ['{"networks":["10.0.0.0/8"],"moon":"full"}', "{}", "not JSON", ""]) {
      assert.throws(() => parseRules(stored), UnreadableRulesError);
    }
  });
});
