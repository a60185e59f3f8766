import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isWithinHours, type OfficeHours, opensBetween } from "./office-hours.ts";

/** Minutes east of Greenwich, and since when. From the time zone database, written down by hand. */
const ZONES = {
  "Europe/Berlin": [
    ["2026-01-01T00:00:00Z", 60],
    ["2026-03-29T01:00:00Z", 120],
    ["2026-10-25T01:00:00Z", 60],
  ],
  "America/New_York": [
    ["2026-01-01T00:00:00Z", -300],
    ["2026-03-08T07:00:00Z", -240],
    ["2026-11-01T06:00:00Z", -300],
  ],
  // Half an hour, in the southern summer.
  "Australia/Lord_Howe": [
    ["2026-01-01T00:00:00Z", 660],
    ["2026-04-04T15:00:00Z", 630],
    ["2026-10-03T15:30:00Z", 660],
  ],
} as const;
const CHANGES = Object.entries(ZONES).flatMap(([zone, [, ...changes]]) =>
  changes.map(([at]) => ({ zone: zone as keyof typeof ZONES, at: Date.parse(at) })),
);
const MINUTE = 60_000;

/** The minutes from `start` at which somebody who follows a wall clock and a calendar would open the door. */
function walk(hours: OfficeHours, zone: keyof typeof ZONES, start: number, count: number): boolean[] {
  const number = (time: string) => Number(time.split(":")[0]) * 60 + Number(time.split(":")[1]);
  const [from, to] = [number(hours.from), number(hours.to)];
  const length = to > from ? to - from : to - from + 1440;
  return Array.from({ length: count }, (_, i) => {
    const at = start + i * MINUTE;
    const offset = ZONES[zone].findLast(([since]) => Date.parse(since) <= at)?.[1] ?? Number.NaN;
    // A clock that shows local time as if it were Greenwich's.
    const shown = new Date(at + offset * MINUTE);
    const sinceMidnight = shown.getUTCHours() * 60 + shown.getUTCMinutes();
    return [0, 1].some((daysAgo) => {
      const day = new Date(shown.getTime() - daysAgo * 1440 * MINUTE).getUTCDay() || 7;
      const sinceFrom = sinceMidnight + daysAgo * 1440 - from;
      return hours.days.includes(day) && sinceFrom >= 0 && sinceFrom < length;
    });
  });
}

const format = (minutes: number) =>
  [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, "0")).join(":");

describe("Office hours", () => {
  const minuteOfDay = fc.integer({ min: 0, max: 1439 });
  it("agree with a walk by the minute over each change of the clocks", () => {
    const cases = fc.record({
      change: fc.constantFrom(...CHANGES),
      days: fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
      from: minuteOfDay,
      to: fc.oneof(minuteOfDay, fc.constant(1440)),
      start: fc.integer({ min: -2880, max: 2880 }),
    });
    fc.assert(
      fc.property(cases, ({ change: { zone, at }, days, from, to, start }) => {
        fc.pre(from !== to);
        const hours = { zone, days, from: format(from), to: format(to) };
        const begin = at + start * MINUTE;
        const expected = walk(hours, zone, begin, 60);
        const told = expected.map((_, i) => isWithinHours(hours, begin + i * MINUTE + (i % 2) * 59_999));
        assert.deepEqual(told, expected, JSON.stringify({ hours, begin: new Date(begin) }));
      }),
      { numRuns: 100 },
    );
  });

  it("that go over midnight belong to the day on which they begin", () => {
    const night = { zone: "Europe/Berlin", days: [5], from: "22:00", to: "06:00" };
    const at = (text: string) => isWithinHours(night, Date.parse(text));
    // 2026-01-02 is a Friday.
    assert(!at("2026-01-02T02:00:00Z"));
    assert(!at("2026-01-02T20:59:59Z"));
    assert(at("2026-01-02T21:00:00Z"));
    assert(at("2026-01-03T04:59:59Z"));
    assert(!at("2026-01-03T05:00:00Z"));
    assert(!at("2026-01-03T22:00:00Z"));
  });

  it("count twice in the hour that the clock shows twice", () => {
    const hours = { zone: "Europe/Berlin", days: [7], from: "02:00", to: "03:00" };
    for (const hour of ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"])
      assert(isWithinHours(hours, Date.parse(hour)));
    assert(!isWithinHours(hours, Date.parse("2026-10-25T02:00:00Z")));
    for (const at of ["2026-03-29T00:59:00Z", "2026-03-29T01:00:00Z"])
      assert(!isWithinHours(hours, Date.parse(at)));
  });
});

const berlin: OfficeHours = { zone: "Europe/Berlin", days: [1, 2, 3, 4, 5], from: "09:00", to: "17:00" };
const between = (hours: OfficeHours, start: string, end: string) =>
  opensBetween(hours, Date.parse(start), Date.parse(end));

describe("office hours before a secret is deleted", () => {
  it("are there where they begin, go on or end in between", () => {
    assert.ok(between(berlin, "2026-01-05T07:30:00Z", "2026-01-05T08:30:00Z"));
    assert.ok(between(berlin, "2026-01-05T10:00:20Z", "2026-01-05T10:00:40Z"));
    assert.ok(between(berlin, "2026-01-05T15:59:00Z", "2026-01-05T20:00:00Z"));
  });

  it("aren't there at night, on a free day, or once they are over", () => {
    assert.ok(!between(berlin, "2026-01-05T16:00:00Z", "2026-01-06T08:00:00Z"));
    assert.ok(!between(berlin, "2026-01-03T00:00:00Z", "2026-01-05T08:00:00Z"));
  });

  it("may go over midnight, and belong to the day on which they begin", () => {
    const night = { ...berlin, days: [5], from: "22:00", to: "06:00" };
    assert.ok(between(night, "2026-01-10T03:00:00Z", "2026-01-10T03:01:00Z"));
    assert.ok(!between(night, "2026-01-09T00:00:00Z", "2026-01-09T21:00:00Z"));
    assert.ok(!between(night, "2026-01-10T05:00:00Z", "2026-01-11T23:00:00Z"));
    const wholeDay = { ...berlin, days: [7], from: "00:00", to: "24:00" };
    assert.ok(between(wholeDay, "2026-01-11T22:59:00Z", "2026-01-11T23:00:00Z"));
  });

  it("follow the zone's own clock, in summer too", () => {
    assert.ok(between(berlin, "2026-07-06T07:00:00Z", "2026-07-06T07:01:00Z"));
    assert.ok(!between(berlin, "2026-01-05T07:00:00Z", "2026-01-05T07:01:00Z"));
    const kathmandu = { ...berlin, zone: "Asia/Kathmandu", from: "09:00", to: "09:01" };
    assert.ok(between(kathmandu, "2026-01-05T03:14:30Z", "2026-01-05T03:15:30Z"));
    assert.ok(!between(kathmandu, "2026-01-05T03:16:00Z", "2026-01-05T23:00:00Z"));
  });

  it("are found where a minute-by-minute look finds them", () => {
    const cases = fc.record({
      change: fc.constantFrom(...CHANGES),
      days: fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
      from: fc.integer({ min: 0, max: 1439 }),
      length: fc.oneof(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 1439 })),
      start: fc.integer({ min: -2 * 86_400_000, max: 86_400_000 }),
      lasting: fc.integer({ min: 1, max: 6 * 3_600_000 }),
    });
    fc.assert(
      fc.property(cases, ({ change: { zone, at }, days, from, length, start, lasting }) => {
        const hours = { zone, days, from: format(from), to: format((from + length) % 1440) };
        const [begin, end] = [at + start, at + start + lasting];
        let open = isWithinHours(hours, begin);
        for (let minute = Math.ceil(begin / MINUTE) * MINUTE; minute < end; minute += MINUTE)
          open ||= isWithinHours(hours, minute);
        assert.equal(opensBetween(hours, begin, end), open, JSON.stringify({ hours, begin, end }));
      }),
      { numRuns: 200 },
    );
  });

  it("are found in the week after the one whose clock leaves them out", () => {
    const skipped = { zone: "Europe/Berlin", days: [7], from: "02:00", to: "02:30" };
    assert.ok(between(skipped, "2026-03-22T03:00:00Z", "2026-04-21T03:00:00Z"));
    assert.ok(!between(skipped, "2026-03-22T03:00:00Z", "2026-04-04T23:59:00Z"));
  });
});
