import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { addressBytes, parseNetwork, parseNetworks, parseNetworkTtls } from "./network.ts";
import { ValueError } from "./value-error.ts";

describe("parseNetwork", () => {
  it("writes every address and range in one way", () => {
    for (const [text, written] of [
      ["10.0.0.0/8", "10.0.0.0/8"],
      ["192.0.2.7", "192.0.2.7"],
      ["0.0.0.0/0", "0.0.0.0/0"],
      ["::/0", "::/0"],
      ["2001:DB8:0:0::/32", "2001:db8::/32"],
      ["2001:db8::1/128", "2001:db8::1/128"],
      ["fe80:0:0:0:1:0:0:1", "fe80::1:0:0:1"],
      ["::ffff:10.0.0.0/104", "10.0.0.0/8"],
      ["::ffff:192.0.2.7", "192.0.2.7"],
      ["64:ff9b::192.0.2.7", "64:ff9b::c000:207"],
    ] as const) {
      assert.equal(parseNetwork(text), written, text);
    }
  });

  it("refuses a range with bits set after its prefix, and names both things that may be meant", () => {
    assert.throws(() => parseNetwork("10.1.2.3/8"), /Write 10\.0\.0\.0\/8 for the range, or 10\.1\.2\.3 for/);
    assert.throws(
      () => parseNetwork("2001:db8::1/32"),
      /Write 2001:db8::\/32 for the range, or 2001:db8::1 for/,
    );
    for (const text of ["10.0.0.1/0", "10.0.0.1/31", "::1/127", "::ffff:10.1.0.0/104"]) {
      assert.throws(() => parseNetwork(text), /bits set after its prefix/, text);
    }
  });

  it("refuses what is neither an address nor a range", () => {
    for (const text of [
      "",
      "intranet",
      "10.0.0/8",
      "010.0.0.0/8",
      "10.0.0.0/33",
      "::/129",
      "::ffff:0:0/90",
      "10.0.0.0/",
      "10.0.0.0/08",
      "10.0.0.0/-1",
      "10.0.0.0/8/8",
      "fe80::1%eth0",
      "fe80::%eth0/64",
      "[::1]",
      "10.0.0.0 - 10.0.0.9",
    ]) {
      assert.throws(() => parseNetwork(text), ValueError, text);
    }
  });

  it("reads back what it has written as the same", () => {
    const bytes = fc.oneof(
      fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 4 }),
      fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 16, maxLength: 16 }),
    );
    fc.assert(
      fc.property(bytes, (address) => {
        const hex = address.map((byte) => byte.toString(16).padStart(2, "0")).join("");
        const text = address.length === 4 ? address.join(".") : (hex.match(/.{4}/g) ?? []).join(":");
        const written = parseNetwork(text);
        assert.equal(parseNetwork(written), written);
        assert.deepEqual(addressBytes(written), address);
      }),
    );
  });
});

describe("Lists of networks", () => {
  it("are read in order, and none may be there twice, however it is written", () => {
    assert.deepEqual(parseNetworks("10.0.0.0/8, 2001:db8::/32"), ["10.0.0.0/8", "2001:db8::/32"]);
    assert.throws(() => parseNetworks("10.0.0.0/8,::ffff:10.0.0.0/104"), /twice/);
    assert.throws(() => parseNetworks("10.0.0.0/8,"), /empty item/);
  });

  it("may give each network its time", () => {
    assert.deepEqual(parseNetworkTtls("10.0.0.0/8=72h, 0.0.0.0/0 = 24h", 60, 259_200), [
      { network: "10.0.0.0/8", seconds: 259_200 },
      { network: "0.0.0.0/0", seconds: 86_400 },
    ]);
    for (const [text, says] of [
      ["10.0.0.0/8", /is not a range and its time/],
      ["10.0.0.0/8=1h=2h", /is not a range and its time/],
      ["10.0.0.0/8=1", /no unit/],
      ["10.0.0.0/8=4d", /out of range/],
      ["10.0.0.0/8=1h,10.0.0.0/8=2h", /twice/],
    ] as const) {
      assert.throws(() => parseNetworkTtls(text, 60, 259_200), says, text);
    }
  });
});
