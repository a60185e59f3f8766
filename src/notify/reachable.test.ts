import assert from "node:assert/strict";
import type { LookupAddress } from "node:dns";
import { describe, it } from "node:test";
import { createJudge, resolveJudged } from "./reachable.ts";

const BLOCKED = [
  ...["0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1"],
  ...["127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.171"],
  ...["192.0.2.1", "192.88.99.1", "192.168.0.1", "192.168.255.255", "198.18.0.1", "198.19.255.255"],
  ...["198.51.100.7", "203.0.113.7", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"],
  ...["::", "::1", "::7f00:1", "::127.0.0.1", "fc00::1", "fdff::1", "fe80::1", "fe80::1%eth0", "febf::1"],
  ...["fec0::1", "ff02::1", "100::1", "5f00::1", "64:ff9b:1::a00:1", "4000::1", "2001::1", "2001:0:1::1"],
  ...["2001:2::1", "2001:db8::1", "2002:a00:1::1", "2002:808:808::1", "3fff::1", "3fff:fff::1"],
  // IPv4 as IPv6 and through NAT64, in more than one spelling.
  ...["::ffff:127.0.0.1", "::ffff:7f00:1", "0:0:0:0:0:FFFF:10.0.0.1", "::ffff:169.254.169.254"],
  ...["64:ff9b::10.0.0.1", "64:ff9b::a00:1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe"],
  ...["", "localhost", "127.1", "1.2.3.4.5", "2130706433"],
];
const PUBLIC = [
  ...["1.1.1.1", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1"],
  ...[
    "192.167.1.1",
    "198.17.1.1",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00:1450:4001::1",
    "2620:4f:8000::1",
  ],
  ...["2001:200::1", "3ffe:ffff::1", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1"],
];

describe("where a webhook may lead", () => {
  const judge = createJudge([]);

  it("is no private, local, multicast, reserved or documentation address, in whatever notation", () => {
    for (const address of BLOCKED) assert.equal(judge(address), "blocked", address);
  });

  it("is every address of the public internet", () => {
    for (const address of PUBLIC) assert.equal(judge(address), "public", address);
  });

  it("is also what the operator lists, and no more than that", () => {
    const some = createJudge(["10.1.0.0/16", "192.168.7.7", "fd00:1::/32", "1.1.1.0/24"]);
    for (const address of [
      "10.1.2.3",
      "192.168.7.7",
      "fd00:1::9",
      "1.1.1.1",
      "::ffff:10.1.2.3",
      "64:ff9b::a01:203",
    ])
      assert.equal(some(address), "listed", address);
    for (const address of ["10.2.0.1", "192.168.7.8", "fd00:2::9", "::ffff:10.2.0.1", "127.0.0.1", "::1"])
      assert.equal(some(address), "blocked", address);
    assert.equal(some("1.1.2.1"), "public");
  });

  it("is nothing where one of a name's addresses is blocked, and only what is listed over plain http", async () => {
    const at = (...addresses: string[]) => {
      const found = addresses.map(
        (address): LookupAddress => ({ address, family: address.includes(":") ? 6 : 4 }),
      );
      return () => Promise.resolve(found);
    };
    const https = new URL("https://hooks.example/x");
    const mixed = at("1.1.1.1", "2606:4700::1", "10.0.0.1");
    assert.deepEqual(await resolveJudged(https, judge, mixed), { refused: "10.0.0.1" });
    assert.deepEqual(await resolveJudged(https, judge, at("1.1.1.1")), {
      addresses: [{ address: "1.1.1.1", family: 4 }],
    });
    const http = new URL("http://hooks.example/x");
    const listing = createJudge(["10.0.0.0/8"]);
    assert.deepEqual(await resolveJudged(http, listing, at("10.0.0.1", "1.1.1.1")), { refused: "1.1.1.1" });
    assert.ok("addresses" in (await resolveJudged(http, listing, at("10.0.0.1"))));
    await assert.rejects(resolveJudged(https, judge, at()), /no address/);
  });

  it("is judged where the host is an address, however that is written, and nobody is asked for it", async () => {
    const nobody = () => assert.fail("a name was looked up");
    for (const host of [
      "127.0.0.1",
      "0x7f.1",
      "2130706433",
      "017700000001",
      "[::1]",
      "[::ffff:7f00:1]",
      "127.1",
    ]) {
      const found = await resolveJudged(new URL(`https://${host}/`), judge, nobody);
      assert.ok("refused" in found, host);
    }
  });
});
