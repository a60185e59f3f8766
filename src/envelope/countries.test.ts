import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { countryCodes, findCountry } from "./countries.ts";
import { countryName } from "./rule-words.ts";

describe("the countries", () => {
  it("are the 249 of ISO 3166-1 and Kosovo, each with a name of its own", () => {
    const codes = countryCodes();
    assert.equal(codes.length, 250);
    assert.deepEqual(codes, [...new Set(codes)].sort());
    const names = codes.map(countryName);
    assert.equal(new Set(names).size, 250);
    assert.ok(names.every((name) => name.length > 2));
  });

  it("are found by code, by English name and by the reader's own name for them", () => {
    assert.equal(findCountry("DE"), "DE");
    assert.equal(findCountry(" de "), "DE");
    assert.equal(findCountry("germany"), "DE");
    assert.equal(findCountry("Bosnia and Herzegovina"), "BA");
    assert.equal(findCountry("cote d'ivoire"), "CI");
    assert.equal(findCountry("Österreich", "de"), "AT");
    assert.equal(findCountry("İrlanda", "tr"), "IE");
    for (const unknown of ["", "XX", "Atlantis", "D", "Germany, Austria"]) {
      assert.equal(findCountry(unknown), undefined);
    }
  });

  it("are told apart by what people type, in each of many languages", () => {
    for (const locale of [
      "en",
      "de",
      "fr",
      "es",
      "pl",
      "tr",
      "vi",
      "ar",
      "he",
      "hi",
      "th",
      "ja",
      "ko",
      "zh",
    ]) {
      const names = new Intl.DisplayNames(locale, { type: "region" });
      for (const code of countryCodes()) {
        const name = names.of(code) ?? "";
        assert.equal(findCountry(name, locale), code, `${name} in ${locale}`);
      }
    }
  });
});
