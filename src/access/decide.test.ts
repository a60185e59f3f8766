import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decide } from "./decide.ts";

describe("decide", () => {
  const now = Date.parse("2026-01-05T10:00:00Z"); // Monday, 11:00 in Berlin
  const countryOf = (address: string) => ({ "10.0.0.1": "DE", "2001:db8::1": "CH" })[address];
  const rules = {
    networks: ["10.0.0.0/8"],
    countries: ["DE", "AT"],
    notBefore: "2026-01-05T10:00:00.000Z",
    hours: { zone: "Europe/Berlin", days: [1], from: "11:00", to: "17:00" },
  };
  const attempt = { address: "10.0.0.1", now, countryOf };

  it("lets through where all rules hold, from the first moment on", () => {
    assert.equal(decide(rules, attempt), undefined);
    assert.equal(decide(rules, { ...attempt, address: "::ffff:10.0.0.1" }), undefined);
    assert.equal(decide(rules, { ...attempt, now: now - 1 }), "not-yet");
  });

  it("refuses where any one of any combination of rules does not hold, and names the first of these", () => {
    const breaks = {
      networks: { networks: ["192.0.2.0/24"] },
      countries: { countries: ["CH"] },
      notBefore: { notBefore: "2026-01-05T10:00:00.001Z" },
      hours: { hours: { ...rules.hours, days: [2] } },
    } as const;
    const reasons = {
      networks: "network",
      countries: "country",
      notBefore: "not-yet",
      hours: "hours",
    } as const;
    const names = Object.keys(reasons) as (keyof typeof reasons)[];
    let looked = 0;
    for (let chosen = 0; chosen < 16; chosen++) {
      for (let broken = 0; broken < 16; broken++) {
        if ((broken & ~chosen) !== 0) continue;
        const parts = names.map((name, i) => {
          if ((chosen & (1 << i)) === 0) return {};
          return (broken & (1 << i)) === 0 ? { [name]: rules[name] } : breaks[name];
        });
        const first = names.find((_, i) => (broken & (1 << i)) !== 0);
        assert.equal(decide(Object.assign({}, ...parts), attempt), first && reasons[first]);
        looked += 1;
      }
    }
    assert.equal(looked, 81);
  });

  it("counts nothing as allowed that is not known", () => {
    const countries = { countries: ["DE"] };
    assert.equal(decide(countries, { ...attempt, countryOf: undefined }), "country");
    assert.equal(decide(countries, { ...attempt, address: "10.0.0.2" }), "country");
    assert.equal(decide(countries, { ...attempt, address: undefined }), "country");
    assert.equal(decide(countries, { ...attempt, address: "unknown" }), "country");
    assert.equal(decide({ networks: ["0.0.0.0/0", "::/0"] }, { ...attempt, address: undefined }), "network");
  });
});
