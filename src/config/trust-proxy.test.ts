import assert from "node:assert/strict";
import { describe, it } from "node:test";
import express from "express";
import { parseTrustProxy } from "./trust-proxy.ts";
import { ValueError } from "./value-error.ts";

describe("parseTrustProxy", () => {
  it("reads a number of proxies, and 0 as none", () => {
    assert.equal(parseTrustProxy("2"), 2);
    assert.equal(parseTrustProxy("0"), false);
  });

  it("reads addresses, ranges and the names of well-known ranges", () => {
    assert.deepEqual(parseTrustProxy("loopback, 10.0.0.0/8,192.0.2.1, fd00::/8,::1"), [
      "loopback",
      "10.0.0.0/8",
      "192.0.2.1",
      "fd00::/8",
      "::1",
    ]);
  });

  it("refuses to trust everybody, however it is written, and says why", () => {
    for (const text of ["true", "TRUE", "yes", "on", "*", "0.0.0.0/0", "::/0", "loopback,0.0.0.0/0"]) {
      assert.throws(() => parseTrustProxy(text), /rate limits could be evaded/, text);
    }
  });

  it("refuses what is neither an address, a range nor a name", () => {
    for (const text of [
      "proxy",
      "10.0.0.0/33",
      "::/129",
      "10.0.0/8",
      "10.0.0.0/8/8",
      "fe80::1%eth0",
      "10.0.0.0/",
      "1,",
      "-1",
      "99",
    ]) {
      assert.throws(() => parseTrustProxy(text), ValueError, text);
    }
  });

  it("gives Express something that it takes", () => {
    for (const text of [
      "0",
      "1",
      "10",
      "loopback,linklocal,uniquelocal",
      "10.0.0.0/8,2001:db8::/32,::ffff:10.0.0.1",
    ]) {
      const trusted = parseTrustProxy(text);
      assert.doesNotThrow(() => express().set("trust proxy", Object.freeze(trusted)), text);
    }
  });
});
