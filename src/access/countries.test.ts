import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { countryDatabase } from "../testing/country-database.ts";
import { until } from "../testing/until.ts";
import { type Countries, CountriesError, openCountries } from "./countries.ts";

const root = mkdtempSync(join(tmpdir(), "waxseal-countries-"));
const opened: Countries[] = [];
after(() => {
  for (const countries of opened) countries.close();
  rmSync(root, { recursive: true });
});

const FIRST = { "192.0.2.0/24": "DE", "198.51.100.0/25": "AT", "2001:db8::/32": "CH" };

async function open(name: string, content: Buffer) {
  const path = join(root, name);
  writeFileSync(path, content);
  const lines: string[] = [];
  const log = {
    info: (line: string) => lines.push(`info: ${line}`),
    error: (line: string) => lines.push(`error: ${line}`),
  };
  const countries = await openCountries({ path, log: log as never, every: 5 });
  opened.push(countries);
  return { path, countries, lines };
}

describe("A database of countries", () => {
  it("tells the country of IPv4 and IPv6 addresses, and nothing of any other", async () => {
    const { countries } = await open("both.mmdb", countryDatabase(FIRST));
    const { countryOf } = countries;
    assert.equal(countryOf("192.0.2.255"), "DE");
    assert.equal(countryOf("198.51.100.127"), "AT");
    assert.equal(countryOf("2001:db8:1::1"), "CH");
    for (const unknown of ["192.0.3.0", "198.51.100.128", "2001:db9::", "::1", "127.0.0.1"]) {
      assert.equal(countryOf(unknown), undefined, unknown);
    }
    assert.equal(countries.about, "countries by Test-Country of 2026-01-02");
  });

  it("knows no IPv6 address where it is one of IPv4, rather than the country of its first 32 bits", async () => {
    const content = countryDatabase({ "32.1.13.184/32": "FR" }, { ipVersion: 4 });
    const { countries } = await open("four.mmdb", content);
    assert.equal(countries.countryOf("32.1.13.184"), "FR");
    assert.equal(countries.countryOf("2001:db8::1"), undefined);
  });

  it("knows no country of a record without one", async () => {
    const { countries } = await open("empty.mmdb", countryDatabase({ "10.0.0.0/8": "", ...FIRST }));
    assert.equal(countries.countryOf("10.0.0.1"), undefined);
    assert.equal(countries.countryOf("192.0.2.1"), "DE");
  });

  it("must be there, whole, and one of countries, and else says what to do", async () => {
    const whole = countryDatabase(FIRST);
    const log = { info() {}, error() {} } as never;
    const refused = (path: string, says: RegExp) =>
      assert.rejects(openCountries({ path, log }), (error: unknown) => {
        assert(error instanceof CountriesError);
        assert.match(error.message, says);
        return true;
      });
    await refused(join(root, "nowhere.mmdb"), /GEOIP_DB: .*ENOENT.*Correct the path/);
    await refused(root, /GEOIP_DB: .*EISDIR/);
    for (const [name, content] of [
      ["nothing.mmdb", Buffer.alloc(0)],
      ["packed.mmdb", Buffer.from("\x1f\x8b not unpacked")],
      ["half.mmdb", whole.subarray(0, whole.length / 2)],
      ["undated.mmdb", Buffer.from(whole.toString("latin1").replace("build_epoch", "other_epoch"), "latin1")],
    ] as const) {
      writeFileSync(join(root, name), content);
      await refused(join(root, name), /not a whole database.*Give an \.mmdb file/);
    }
    writeFileSync(join(root, "asn.mmdb"), countryDatabase({ "192.0.2.0/24": "" }, { type: "Test-ASN" }));
    await refused(join(root, "asn.mmdb"), /holds no countries/);
  });

  it("is read again when another file takes its place, by a rename or in place", async () => {
    const { path, countries, lines } = await open("replaced.mmdb", countryDatabase(FIRST));
    writeFileSync(`${path}.new`, countryDatabase({ ...FIRST, "192.0.2.0/24": "FR" }));
    renameSync(`${path}.new`, path);
    await until(() => countries.countryOf("192.0.2.1") === "FR");
    writeFileSync(path, countryDatabase({ ...FIRST, "192.0.2.0/24": "IT" }));
    await until(() => countries.countryOf("192.0.2.1") === "IT");
    assert.equal(countries.countryOf("2001:db8::1"), "CH");
    assert.match(lines[0] ?? "", /^info: GEOIP_DB was read again: countries by Test-Country/);
  });

  it("stays as it was while a broken file, or none, has its place, which is logged once", async () => {
    const { path, countries, lines } = await open("broken.mmdb", countryDatabase(FIRST));
    const errors = () => lines.filter((line) => line.startsWith("error"));
    writeFileSync(path, "not a database");
    await until(() => errors().length > 0);
    assert.match(errors()[0] ?? "", /The new database is not used, the old one stays\. GEOIP_DB: /);
    assert.equal(countries.countryOf("192.0.2.1"), "DE");
    rmSync(path);
    await until(() => errors().length === 2);
    assert.equal(countries.countryOf("192.0.2.1"), "DE");
    writeFileSync(path, countryDatabase({ "192.0.2.0/24": "FR" }));
    await until(() => countries.countryOf("192.0.2.1") === "FR");
    assert.equal(errors().length, 2);
  });
});
