import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  formatDuration,
  formatSize,
  parseDuration,
  parseInteger,
  parseList,
  parseRateLimit,
  parseSize,
} from "./units.ts";
import { ValueError } from "./value-error.ts";

function refusal(parse: () => unknown): string {
  try {
    parse();
  } catch (error) {
    assert.ok(error instanceof ValueError);
    return error.message;
  }
  return assert.fail("was accepted");
}

describe("parseDuration", () => {
  it("reads seconds, minutes, hours and days", () => {
    assert.deepEqual(["30s", "10m", "24h", "30d"].map(parseDuration), [30, 600, 86_400, 2_592_000]);
  });

  it("takes 0 without a unit", () => {
    assert.equal(parseDuration("0"), 0);
  });

  it("refuses any other number without a unit and shows it with one", () => {
    assert.match(
      refusal(() => parseDuration("24")),
      /24 has no unit\. Write 24s, 24m, 24h or 24d/,
    );
  });

  it("refuses fractions, signs, exponents, leading zeros, compounds, other units and nothing", () => {
    for (const text of [
      "1.5h",
      "-1h",
      "+1h",
      "1e3s",
      "007s",
      "1h30m",
      "24H",
      "1w",
      "1toString",
      "h",
      "",
      "∞",
      "١h",
    ]) {
      assert.match(
        refusal(() => parseDuration(text)),
        /is not a duration/,
        text,
      );
    }
  });

  it("refuses a number too large to be exact", () => {
    refusal(() => parseDuration("99999999999999d"));
  });

  it("reads back whatever formatDuration writes", () => {
    fc.assert(
      fc.property(fc.nat({ max: 400 * 86_400 }), (seconds) => {
        assert.equal(parseDuration(formatDuration(seconds)), seconds);
      }),
    );
  });

  it("gives a whole number of seconds or refuses, whatever the text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9]{0,20} ?[smhdHMx.]{0,2}$/)), (text) => {
        try {
          const seconds = parseDuration(text);
          assert.ok(Number.isSafeInteger(seconds) && seconds >= 0);
        } catch (error) {
          assert.ok(error instanceof ValueError);
        }
      }),
    );
  });
});

describe("formatDuration", () => {
  it("says hours up to six days and days from a week on", () => {
    assert.deepEqual([45, 5400, 86_400, 259_200, 604_800].map(formatDuration), [
      "45s",
      "90m",
      "24h",
      "72h",
      "7d",
    ]);
  });
});

describe("parseSize", () => {
  it("counts KiB, MiB and GiB by 1024 and kB, MB and GB by 1000", () => {
    assert.deepEqual(
      ["64KiB", "1MiB", "2GiB", "64kB", "64KB", "1MB", "2GB", "12B"].map(parseSize),
      [65_536, 1_048_576, 2_147_483_648, 64_000, 64_000, 1_000_000, 2_000_000_000, 12],
    );
  });

  it("takes a space before the unit", () => {
    assert.equal(parseSize("256 MiB"), 268_435_456);
  });

  it("refuses plain bytes without a unit and shows them with one", () => {
    assert.match(
      refusal(() => parseSize("1048576")),
      /1048576 has no unit\. Write 1048576B/,
    );
  });

  it("refuses the units of Kubernetes, lower case and bits", () => {
    for (const text of ["256Mi", "1m", "1mib", "1Mb", "1M"]) {
      assert.match(
        refusal(() => parseSize(text)),
        /is not a size/,
        text,
      );
    }
  });

  it("reads back whatever formatSize writes", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (bytes) => {
        assert.equal(parseSize(formatSize(bytes)), bytes);
      }),
    );
  });
});

describe("parseRateLimit", () => {
  it("reads a count and a duration", () => {
    assert.deepEqual(parseRateLimit("60/10m"), { count: 60, seconds: 600 });
    assert.deepEqual(parseRateLimit(" 5 / 30s "), { count: 5, seconds: 30 });
  });

  it("refuses a missing half, a missing unit, a count of none and an endless window", () => {
    for (const text of [
      "60",
      "60/",
      "/10m",
      "60/10m/1",
      "60/10",
      "0/1m",
      "60/0",
      "60/25h",
      "1.5/1m",
      "9999999/1m",
    ]) {
      refusal(() => parseRateLimit(text));
    }
  });
});

describe("parseList", () => {
  it("parses each item and lets spaces stand around commas", () => {
    assert.deepEqual(parseList("1h, 4h ,12h", parseDuration), [3600, 14_400, 43_200]);
  });

  it("refuses empty items", () => {
    for (const text of ["", ",", "1h,", ",1h", "1h,,2h"]) {
      assert.match(
        refusal(() => parseList(text, parseDuration)),
        /empty item/,
        text,
      );
    }
  });

  it("refuses the same value twice, however it is written", () => {
    assert.match(
      refusal(() => parseList("1h,2h,60m", parseDuration)),
      /"60m" is there twice/,
    );
  });
});

describe("parseInteger", () => {
  it("takes digits only", () => {
    assert.equal(parseInteger("8080"), 8080);
    for (const text of ["", "08", "1.0", "1e3", "0x10", "-1", "+1", " 1", "9007199254740993"]) {
      refusal(() => parseInteger(text));
    }
  });
});
