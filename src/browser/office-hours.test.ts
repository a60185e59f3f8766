import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isWithinHours } from "../access/hours.ts";
import type { OfficeHours } from "./api.ts";
import { opensBetween } from "./office-hours.ts";

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

  it("are judged as the server judges them", () => {
    for (const [from, to] of [
      ["09:00", "17:00"],
      ["22:00", "06:00"],
      ["00:00", "24:00"],
    ] as const) {
      const hours = { zone: "America/St_Johns", days: [1, 3, 7], from, to };
      for (let at = Date.UTC(2026, 2, 6); at < Date.UTC(2026, 2, 14); at += 7 * 60_000) {
        assert.equal(opensBetween(hours, at, at + 1), isWithinHours(hours, at), new Date(at).toISOString());
      }
    }
  });

  it("follow the zone's own clock, in summer too", () => {
    assert.ok(between(berlin, "2026-07-06T07:00:00Z", "2026-07-06T07:01:00Z"));
    assert.ok(!between(berlin, "2026-01-05T07:00:00Z", "2026-01-05T07:01:00Z"));
    const kathmandu = { ...berlin, zone: "Asia/Kathmandu", from: "09:00", to: "09:01" };
    assert.ok(between(kathmandu, "2026-01-05T03:14:30Z", "2026-01-05T03:15:30Z"));
    assert.ok(!between(kathmandu, "2026-01-05T03:16:00Z", "2026-01-05T23:00:00Z"));
  });
});
