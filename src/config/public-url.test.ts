import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parsePublicUrl } from "./public-url.ts";
import { ValueError } from "./value-error.ts";

describe("parsePublicUrl", () => {
  it("takes http and https with or without port and path", () => {
    for (const [text, href] of [
      ["https://secrets.example.com", "https://secrets.example.com/"],
      ["https://secrets.example.com:443/", "https://secrets.example.com/"],
      ["http://localhost:8080", "http://localhost:8080/"],
      ["https://intranet.example/tools/wax-seal_1.0~x", "https://intranet.example/tools/wax-seal_1.0~x"],
      ["https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443/"],
    ] as const) {
      assert.equal(parsePublicUrl(text).href, href);
    }
  });

  it("drops slashes at the end of the path", () => {
    assert.equal(parsePublicUrl("https://h/waxseal//").pathname, "/waxseal");
  });

  it("refuses anything else", () => {
    for (const text of [
      "secrets.example.com",
      "localhost:8080",
      "ftp://h",
      "https://",
      "https://h/?",
      "https://h/?a=1",
      "https://h/#",
      "https://h/a//b",
      "https://h/a%2fb",
      "https://h/a:b",
      "https://h/ü",
      "https://h/*",
    ]) {
      assert.throws(() => parsePublicUrl(text), ValueError, text);
    }
  });

  it("refuses credentials without repeating them", () => {
    assert.throws(
      () => parsePublicUrl("https://admin:QX81@h/"),
      (error) => error instanceof ValueError && !/admin|QX81/.test(error.message),
    );
  });
});
