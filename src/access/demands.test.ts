import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createDemands } from "./demands.ts";

describe("The operator's demands", () => {
  const settings = {
    createAllowCidrs: ["10.0.0.0/8"],
    openAllowCidrs: undefined,
    requirePassphrase: false,
    maxTtl: 5000,
    maxTtlByNetwork: [
      { network: "10.1.0.0/16", seconds: 4000 },
      { network: "10.0.0.0/8", seconds: 3000 },
      { network: "2001:db8::/32", seconds: 2000 },
    ],
  };
  const demands = createDemands(settings);

  it("let everybody act where there is no list, and only known addresses of it where there is one", () => {
    assert(demands.mayOpen("192.0.2.1"));
    assert(demands.mayOpen(undefined));
    assert(demands.mayCreate("::ffff:10.0.0.1"));
    for (const text of ["192.0.2.1", "::1", undefined, "unknown"])
      assert(!demands.mayCreate(text), String(text));
  });

  it("give the longest time to live of the first range that holds the address", () => {
    for (const [text, seconds] of [
      ["10.1.0.1", 4000],
      ["10.2.0.1", 3000],
      ["2001:db8::1", 2000],
      ["192.0.2.1", 5000],
      [undefined, 2000],
      ["unknown", 2000],
    ] as const) {
      assert.equal(demands.maxTtl(text), seconds, String(text));
    }
    assert.deepEqual([...demands.maxTtls].toSorted(), [2000, 3000, 4000, 5000]);
  });
});
