import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { receiptHash } from "./second-implementation.ts";
import {
  createClaim,
  createReceiptToken,
  createShare,
  formatId,
  formatLinkBearer,
  formatReceiptBearer,
  formatReceiptFragment,
  hashReceiptToken,
  idBytes,
  type LinkProof,
  MIN_TTL,
  parseAccessProof,
  parseCiphertext,
  parseClaim,
  parseDigest,
  parseId,
  parseLinkBearer,
  parseReceiptBearer,
  parseReceiptFragment,
  parseShare,
  parseTtl,
} from "./tokens.ts";

const base64url = (length: number, fill = 0xa7) => Buffer.alloc(length, fill).toString("base64url");
const id = formatId(new Uint8Array(16).fill(0xa7));
const proof = new Uint8Array(32).fill(0x5c) as LinkProof;

describe("a parser of exact bytes", () => {
  const parsers = [
    ["parseId", parseId, 16],
    ["parseClaim", parseClaim, 16],
    ["parseDigest", parseDigest, 32],
    ["parseAccessProof", parseAccessProof, 32],
    ["parseShare", parseShare, 32],
  ] as const;

  for (const [name, parse, length] of parsers) {
    it(`${name} takes ${length} bytes of canonical base64url and nothing else`, () => {
      const text = base64url(length);
      const parsed = parse(text);
      assert.deepEqual(
        typeof parsed === "string" ? parsed : Buffer.from(parsed ?? "").toString("base64url"),
        text,
      );
      for (const other of [0, 1, length - 1, length + 1, 2 * length]) {
        assert.equal(parse(base64url(other)), undefined, `${other} bytes`);
      }
      const stray = text.slice(0, -1) + String.fromCharCode(text.charCodeAt(text.length - 1) + 1);
      for (const bad of [
        stray,
        `${text}=`,
        `${text}==`,
        ` ${text}`,
        `${text}\n`,
        text.replace("p", "+"),
        `${text.slice(1)}é`,
      ]) {
        assert.equal(parse(bad), undefined, JSON.stringify(bad));
      }
      for (const bad of [undefined, null, 7, true, {}, [text], Buffer.from(text), new String(text)]) {
        assert.equal(parse(bad), undefined);
      }
    });
  }

  it("parseCiphertext takes canonical base64url of any length and no other type", () => {
    assert.deepEqual(parseCiphertext("AAEC"), Uint8Array.of(0, 1, 2));
    for (const bad of ["AAEC=", "AAE C", "A", "AB", undefined, null, 7, ["AAEC"]]) {
      assert.equal(parseCiphertext(bad), undefined);
    }
  });

  it("formatId refuses anything but 16 bytes, and idBytes reads it back", () => {
    for (const length of [0, 15, 17, 32]) assert.throws(() => formatId(new Uint8Array(length)), RangeError);
    assert.deepEqual(idBytes(id), new Uint8Array(16).fill(0xa7));
  });
});

describe("a time to live", () => {
  const max = 259_200;

  it("is a whole number of seconds from 60 to the maximum", () => {
    for (const ttl of [MIN_TTL, 61, 3600, max]) assert.equal(parseTtl(ttl, max), ttl);
  });

  it("is never zero, negative, fractional, absent, huge or a text", () => {
    const refused = [0, -0, -1, -60, 1, 59, 59.999, 60.5, 1.5, max + 1, max + 0.5, 2 ** 31, 2 ** 53, 2 ** 64];
    for (const ttl of [...refused, Number.NaN, Infinity, -Infinity, Number.MIN_VALUE, Number.MAX_VALUE]) {
      assert.equal(parseTtl(ttl, max), undefined, String(ttl));
    }
    for (const ttl of [
      undefined,
      null,
      "",
      "60",
      "3600",
      "1h",
      true,
      [],
      [3600],
      {},
      3600n,
      new Date(3_600_000),
    ]) {
      assert.equal(parseTtl(ttl, max), undefined, String(ttl));
    }
  });

  it("is refused where the maximum isn't a number or lies below the minimum", () => {
    assert.equal(parseTtl(3600, Number.NaN), undefined);
    assert.equal(parseTtl(60, 59), undefined);
  });
});

describe("a bearer", () => {
  it("gives id and proof back, for link and receipt", () => {
    const token = createReceiptToken();
    assert.deepEqual(parseLinkBearer(formatLinkBearer(id, proof)), { id, proof });
    assert.deepEqual(parseReceiptBearer(formatReceiptBearer(id, token)), { id, proof: token });
    assert.deepEqual(parseReceiptFragment(formatReceiptFragment(id, token)), { id, proof: token });
    assert.match(formatLinkBearer(id, proof), /^wsl_[\w-]{64}$/);
    assert.match(formatReceiptBearer(id, token), /^wsr_[\w-]{64}$/);
  });

  it("isn't read with another prefix, length, case or alphabet, nor one kind as the other", () => {
    const text = formatLinkBearer(id, proof);
    const body = text.slice(4);
    const bad = [
      "",
      "wsl_",
      body,
      `wsr_${body}`,
      `WSL_${body}`,
      `wsl-${body}`,
      ` ${text}`,
      `${text} `,
      `${text}=`,
    ];
    for (const other of [...bad, `${text}A`, text.slice(0, -1), `wsl_wsl_${body}`, `wsl_${body.slice(1)}+`]) {
      assert.equal(parseLinkBearer(other), undefined, other);
    }
    assert.equal(parseReceiptBearer(text), undefined);
    assert.equal(parseReceiptFragment(text), undefined);
  });

  it("isn't found in any text that was not written as one", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 80 }), (text) => {
        for (const candidate of [text, `wsl_${text}`]) {
          const parsed = parseLinkBearer(candidate);
          if (parsed) assert.equal(formatLinkBearer(parsed.id, parsed.proof), candidate);
        }
      }),
    );
  });
});

describe("what is made at random", () => {
  it("has its length, differs each time and isn't zero", () => {
    for (const [create, length] of [
      [createShare, 32],
      [createReceiptToken, 32],
      [createClaim, 16],
    ] as const) {
      const made = Array.from({ length: 50 }, () => Buffer.from(create()).toString("hex"));
      assert.ok(made.every((hex) => hex.length === 2 * length && /[^0]/.test(hex)));
      assert.equal(new Set(made).size, made.length);
    }
  });
});

describe("the receipt's digest", () => {
  it("is what the second implementation makes of the token", async () => {
    const token = createReceiptToken();
    assert.deepEqual(Buffer.from(await hashReceiptToken(token)), receiptHash(token));
  });
});
