import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { decodeBase64url, encodeBase64url } from "../envelope/base64url.ts";
import { parseJsonBody } from "./json-body.ts";
import { Problem } from "./problem.ts";

const SHARE = encodeBase64url(Uint8Array.from({ length: 32 }, (_, i) => i * 7));

/** What the body means: its text, or undefined for no JSON text at all. */
function read(text: string | Buffer) {
  const body = Buffer.from(text);
  try {
    return { parsed: parseJsonBody(body, ["share"]), body };
  } catch (error) {
    assert.ok(error instanceof Problem && error.code === "invalid");
    return { parsed: undefined, body };
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What JSON.parse would have said after a byte order mark, with canonical base64url under "share" as bytes. */
function expected(text: string): unknown {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch {
    return undefined;
  }
  if (!isObject(parsed) || typeof parsed.share !== "string") return parsed;
  return { ...parsed, share: decodeBase64url(parsed.share) ?? parsed.share };
}

describe("A JSON body with a member that must not become a string", () => {
  it("means what JSON.parse says, for any object and any white space", () => {
    const share = fc.uint8Array({ maxLength: 40 }).map(encodeBase64url);
    const value = fc.jsonValue({ maxDepth: 2 });
    const objects = fc.tuple(fc.dictionary(fc.string({ unit: "binary" }), value), share, fc.nat(2));
    fc.assert(
      fc.property(objects, ([members, text, indent]) => {
        const nested = { ...members, inner: { share: text }, list: [{ share: text }, '"share":"AAAA"'] };
        for (const object of [members, { share: text, ...members }, { ...nested, share: text }]) {
          const json = JSON.stringify(object, null, indent);
          assert.deepEqual(read(json).parsed, expected(json));
        }
      }),
    );
  });

  it("never takes for bytes what JSON.parse would have read differently, whatever the text", () => {
    const tokens = ["{", "}", "[", "]", ":", ",", '"', "\\", "\\u0073", " ", "\n", "1", "null", "\ufeff"];
    const words = [
      '"share"',
      '"sh\\u0061re"',
      '"other"',
      `"${SHARE}"`,
      '"AAAA"',
      "share",
      "AAAA",
      '{"share":"AAAA"}',
    ];
    const texts = fc.array(fc.constantFrom(...tokens, ...words, ...words), { maxLength: 14 });
    const members = fc.array(
      fc.constantFrom(
        ...words.slice(0, 3).map((key) => `${key}:"AAAA"`),
        `"share" : "${SHARE}"`,
        '"share":1',
      ),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          texts.map((all) => all.join("")),
          members.map((all) => `{${all.join(",")}}`),
        ),
        (text) => {
          const { parsed } = read(text);
          if (!isObject(parsed) || !(parsed.share instanceof Uint8Array)) return;
          assert.deepEqual(parsed, expected(text));
        },
      ),
      { numRuns: 20_000 },
    );
  });

  it("refuses what is no JSON, as JSON.parse does", () => {
    for (const text of [
      "{",
      `{"share":"${SHARE}"`,
      `{"share":"${SHARE}",}`,
      `{"share" "${SHARE}"}`,
      `{"share":"AA\nAA"}`,
      `{"share":"${SHARE}"} {}`,
    ]) {
      assert.equal(read(text).parsed, undefined, text);
    }
  });

  it("takes no name that stands there twice, however it is spelled, and no value with escapes", () => {
    for (const text of [
      `{"share":"${SHARE}","share":"${SHARE}"}`,
      `{"share":"${SHARE}","sh\\u0061re":"${SHARE}"}`,
      `{"sh\\u0061re":"${SHARE}"}`,
      `{"share":"\\u0041${SHARE.slice(1)}"}`,
      `{"share":["${SHARE}"]}`,
      `{"share":{"share":"${SHARE}"}}`,
      `{"share":"${SHARE}="}`,
    ]) {
      const { parsed } = read(text);
      assert.ok(isObject(parsed) && !(parsed.share instanceof Uint8Array), text);
    }
  });

  it("leaves nothing in the buffer that it came in, whether it was accepted or not", () => {
    for (const text of [`{"share":"${SHARE}"}`, `{"share":"${SHARE}"`, "[]", `["${SHARE}"]`]) {
      assert.ok(
        read(text).body.every((byte) => byte === 0),
        text,
      );
    }
  });

  it("reads text outside of ASCII, and past a byte order mark, as before", () => {
    const text = `{"note":"ſ\u{1f56f}","share":"${SHARE}"}`;
    assert.deepEqual(read(`\ufeff${text}`).parsed, expected(text));
  });
});
