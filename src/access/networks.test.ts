import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseNetwork } from "../config/network.ts";
import { createNetworks, plainAddress } from "./networks.ts";

const byte = fc.integer({ min: 0, max: 255 });
const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
/** With its bits as a number; IPv6 in a random notation. */
const ipv4 = fc.array(byte, { minLength: 4, maxLength: 4 }).map((bytes) => ({
  bits: bytes.reduce((sum, next) => sum * 256n + BigInt(next), 0n),
  length: 32,
  text: bytes.join("."),
}));
const ipv6 = fc
  .tuple(fc.array(group, { minLength: 8, maxLength: 8 }), fc.boolean())
  .map(([groups, padded]) => ({
    bits: groups.reduce((sum, next) => sum * 65_536n + BigInt(next), 0n),
    length: 128,
    text: groups.map((value) => value.toString(16).padStart(padded ? 4 : 1, "0")).join(":"),
  }))
  // Those are IPv4 in another notation.
  .filter(({ bits }) => bits >> 32n !== 0xffffn);
const address = fc.oneof(ipv4, ipv6);

function textOf(bits: bigint, length: number): string {
  const size = length === 32 ? 8n : 16n;
  const parts: string[] = [];
  for (let shift = BigInt(length) - size; shift >= 0n; shift -= size) {
    const part = (bits >> shift) & ((1n << size) - 1n);
    parts.push(part.toString(length === 32 ? 10 : 16));
  }
  return parts.join(length === 32 ? "." : ":");
}

describe("Networks", () => {
  it("hold exactly the addresses whose first bits are theirs, by an arithmetic of its own", () => {
    const cases = fc.record({
      base: address,
      prefixShare: fc.double({ min: 0, max: 1, noNaN: true }),
      near: fc.boolean(),
      flip: fc.nat(127),
      other: address,
    });
    let inside = 0;
    fc.assert(
      fc.property(cases, ({ base, prefixShare, near, flip, other }) => {
        const prefix = Math.round(prefixShare * base.length);
        const shift = BigInt(base.length - prefix);
        const network = (base.bits >> shift) << shift;
        const text = `${textOf(network, base.length)}/${prefix}`;
        // Half of them differ from the network in one bit only.
        const bits = base.bits ^ (1n << BigInt(flip % base.length));
        const client = near ? { ...base, bits, text: textOf(bits, base.length) } : other;
        const expected = client.length === base.length && client.bits >> shift === network >> shift;
        if (expected) inside += 1;
        if (plainAddress(client.text) === undefined || /^::ffff:/.test(parseNetwork(client.text))) return;
        assert.equal(
          createNetworks([parseNetwork(text)]).has(client.text),
          expected,
          `${client.text} in ${text}`,
        );
      }),
      { numRuns: 3000 },
    );
    assert(inside > 300);
  });

  it("hold an IPv4 client in any notation of it, and no other family", () => {
    const office = createNetworks(["10.0.0.0/8"]);
    for (const text of ["10.1.2.3", "::ffff:10.1.2.3", "::FFFF:a01:203"]) assert(office.has(text), text);
    for (const text of ["11.1.2.3", "::ffff:11.1.2.3", "::10.1.2.3", "a01:203::"])
      assert(!office.has(text), text);
    assert(!createNetworks(["::/0"]).has("10.1.2.3"));
    assert(!createNetworks(["0.0.0.0/0"]).has("2001:db8::1"));
  });

  it("look past the zone of a link-local address", () => {
    assert(createNetworks(["fe80::/10"]).has("fe80::1%eth0"));
    assert(!createNetworks(["fe80::/10"]).has("fec0::1%eth0"));
  });

  it("hold nobody whose address is not known", () => {
    const everybody = createNetworks(["0.0.0.0/0", "::/0"]);
    for (const text of [
      undefined,
      "",
      "unknown",
      "_hidden",
      "10.0.0.1:5000",
      "[::1]",
      "10.0.0.1, 10.0.0.2",
    ]) {
      assert(!everybody.has(text), String(text));
    }
  });
});
