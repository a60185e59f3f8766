import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { createSearcher } from "./search.ts";

const share = randomBytes(32);
const searcher = createSearcher([{ kind: "share", secret: 0, bytes: share }]);

function finds(bytes: Buffer): number {
  const search = searcher.begin();
  search.look(bytes);
  return search.finds().count("share");
}

describe("The search for what stays behind", () => {
  it("finds a share in each of its forms, and half of one", () => {
    const encoded = share.toString("base64url");
    for (const form of [
      share,
      share.subarray(16),
      Buffer.from(share.toString("hex")),
      Buffer.from(share.toString("hex").toUpperCase()),
      Buffer.from(encoded),
      Buffer.from(share.toString("base64")),
      Buffer.from(encoded, "utf16le"),
      Buffer.from(Buffer.concat([Buffer.from("x"), share]).toString("base64url")),
    ]) {
      assert.equal(finds(Buffer.concat([randomBytes(1001), form, randomBytes(7)])), 1);
      assert.equal(finds(form), 1);
    }
  });

  it("finds nothing in noise, nor in a beginning that the end cuts off", () => {
    assert.equal(finds(randomBytes(1 << 20)), 0);
    for (let length = 0; length < 16; length++) {
      assert.equal(finds(Buffer.concat([randomBytes(100), share.subarray(0, length)])), 0);
    }
  });
});
