import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ruleWords } from "./rule-words.ts";

const words = (rules: Parameters<typeof ruleWords>[0]) => ruleWords(rules, (time) => time.toISOString());
const hours = (days: readonly number[]) =>
  words({ hours: { zone: "America/New_York", days, from: "09:00", to: "17:00" } });

describe("the rules in words", () => {
  it("are one sentence each, and none where there is no rule", () => {
    assert.deepEqual(words({}), []);
    const all = words({
      networks: ["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"],
      countries: ["DE", "AT"],
      notBefore: "2026-01-02T03:04:00Z",
      hours: { zone: "Europe/Berlin", days: [1], from: "09:00", to: "17:00" },
    });
    assert.deepEqual(all, [
      "Only from 10.0.0.0/8, 192.0.2.7, or 2001:db8::/32.",
      "Only in Germany or Austria.",
      "Not before 2026-01-02T03:04:00.000Z.",
      "Only Monday, 09:00 to 17:00 in Europe/Berlin.",
    ]);
  });

  it("name days that follow each other as a span", () => {
    assert.deepEqual(hours([5, 4, 3, 2, 1]), ["Only Monday to Friday, 09:00 to 17:00 in America/New York."]);
    assert.match(hours([6, 7])[0] ?? "", /^Only Saturday and Sunday, /);
    assert.match(hours([1, 2, 3, 5, 7])[0] ?? "", /^Only Monday to Wednesday, Friday, and Sunday, /);
  });
});
