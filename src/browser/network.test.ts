import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseNetwork } from "../config/network.ts";
import { problemWithNetwork } from "./network.ts";

const RIGHT = [
  "10.0.0.0/8",
  "192.0.2.7",
  "192.0.2.7/32",
  "0.0.0.0/0",
  "172.16.0.0/12",
  "2001:db8::/32",
  "2001:DB8::1",
  "::/0",
  "::1/128",
  "fe80::/10",
  "1:2:3:4:5:6:7:8",
];
const WRONG = [
  "office",
  "10.0.0.0/33",
  "10.0.0.0/",
  "10.0.0.0/8/8",
  "10.0.0/8",
  "10.0.0.256",
  "10.0.0.01",
  "2001:db8::/129",
  "2001:db8",
  "fe80::1%eth0",
  "[::1]",
  "::1]/x",
  "-1",
  "",
];
const BITS_SET = ["10.1.2.3/8", "172.16.0.1/12", "172.17.0.0/12", "2001:db8::1/32", "fec0::/9", "::1/127"];

describe("a network in the form", () => {
  it("may be an address or a range, IPv4 or IPv6", () => {
    for (const text of RIGHT) assert.equal(problemWithNetwork(text), undefined, text);
  });

  it("is told apart from what is none, with an example of one", () => {
    for (const text of WRONG)
      assert.match(problemWithNetwork(text) ?? "", /Write it like 10\.0\.0\.0\/8/, text);
  });

  it("may have no bits set after its prefix", () => {
    for (const text of BITS_SET) assert.match(problemWithNetwork(text) ?? "", /goes on after its/, text);
  });

  it("is judged as the server judges it", () => {
    for (const text of RIGHT) assert.doesNotThrow(() => parseNetwork(text), text);
    for (const text of [...WRONG, ...BITS_SET]) assert.throws(() => parseNetwork(text), text);
  });
});
