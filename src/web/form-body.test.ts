import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseForm, textOf, withUnixLineEnds } from "./form-body.ts";

const text = fc.string({ unit: "binary" });
const form = (encoded: string) => parseForm(Buffer.from(encoded));

describe("parseForm", () => {
  it("reads what any form sends, as the platform's own parser does", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { maxLength: 16 }), (pairs) => {
        const encoded = new URLSearchParams(pairs).toString();
        const fields = form(encoded);
        for (const [name, value] of new Map(new URLSearchParams(encoded)))
          assert.equal(textOf(fields, name), value);
      }),
    );
  });

  it("takes a percent sign that starts no escape as it is", () => {
    assert.equal(textOf(form("a=100%&b"), "a"), "100%");
    assert.equal(textOf(form("a=%4&b=%zz"), "a"), "%4");
    assert.equal(textOf(form("a=%4&b=%zz"), "b"), "%zz");
    assert.equal(textOf(form("a=%c3%A9+%2b"), "a"), "é +");
  });

  it("leaves nothing in the body that it came from", () => {
    const body = Buffer.from("secret=hunter2&ttl=3600");
    parseForm(body);
    assert.ok(body.every((byte) => byte === 0));
  });

  it("takes no more than 32 fields apart, however many are sent", () => {
    const fields = form(`${Array.from({ length: 32 }, (_, i) => `f${i}=`).join("&")}&late=1`);
    assert.equal(fields.size, 32);
    assert.ok(!fields.has("late"));
    assert.ok(!form(`${"&".repeat(100_000)}late=1`).has("late"));
  });
});

describe("withUnixLineEnds", () => {
  it("makes CR LF into LF, leaves a lone CR, and overwrites what it was given", () => {
    const sent = new Uint8Array(Buffer.from("a\r\nb\rc\n"));
    assert.equal(Buffer.from(withUnixLineEnds(sent)).toString(), "a\nb\rc\n");
    assert.ok(sent.every((byte) => byte === 0));
  });
});
