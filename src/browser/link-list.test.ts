import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { linksAsCsv, linksAsText } from "./link-list.ts";

const rows = (...labels: string[]) =>
  linksAsCsv(labels.map((label, i) => ({ label, link: `https://example.test/s#${i}` })));

describe("the list of links", () => {
  it("is CSV as in RFC 4180: a header, CRLF after each line, quotes around what needs them", () => {
    assert.equal(
      rows("Anna", "Møller, Bo", 'the "new" one'),
      "\uFEFFlabel,link\r\nAnna,https://example.test/s#0\r\n" +
        '"Møller, Bo",https://example.test/s#1\r\n"the ""new"" one",https://example.test/s#2\r\n',
    );
  });

  it("holds nothing that a spreadsheet would run as a formula", () => {
    for (const label of ["=1+1", "+49 30 1234", "-2", "@SUM(A1)", "\tx", "＝1"]) {
      assert.ok(rows(label).split("\r\n")[1]?.startsWith(`'${label},`), label);
    }
    assert.match(rows('=HYPERLINK("http://evil.test","Anna")'), /\r\n"'=HYPERLINK\(""http/);
    assert.match(rows("a=b"), /\r\na=b,/);
  });

  it("is no two cells, the second a formula, where a spreadsheet separates by semicolons", () => {
    assert.match(rows("Anna;=1+1"), /\r\n"Anna;=1\+1",https/);
  });

  it("is one line for each as text", () => {
    assert.equal(
      linksAsText([
        { label: "Anna", link: "L1" },
        { label: "Bo", link: "L2" },
      ]),
      "Anna: L1\nBo: L2",
    );
  });
});
