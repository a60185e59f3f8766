import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { describeError } from "./log-error.ts";

const KEY = "zK3v0c0Jr8mYf5bq1X2w9A";

describe("What the log says of an error", () => {
  it("is its name, its code, its message and where it was thrown", () => {
    const error = Object.assign(new TypeError("no such thing"), { code: "EXAMPLE" });
    const described = describeError(error);
    assert.equal(described.name, "TypeError");
    assert.equal(described.code, "EXAMPLE");
    assert.equal(described.message, "no such thing");
    assert.match(described.stack ?? "", /^ {4}at .*log-error\.test\.ts/);
  });

  it("follows causes, but not for ever", () => {
    const error = new Error("outer", { cause: new Error("inner") });
    assert.equal(describeError(error).cause?.message, "inner");
    error.cause = error;
    assert.doesNotThrow(() => JSON.stringify(describeError(error)));
  });

  it("holds no property of the error besides, such as a command's arguments or a body", () => {
    const error = Object.assign(new Error("broken"), { command: { args: [KEY] }, body: KEY });
    assert.doesNotMatch(JSON.stringify(describeError(error)), new RegExp(KEY));
  });

  it("holds nothing of a message, or of the same message in a stack, that could be a key", () => {
    const error = new Error(`unexpected "${KEY}" here`);
    assert.equal(describeError(error).message, 'unexpected "…" here');
    assert.doesNotMatch(JSON.stringify(describeError(error)), new RegExp(KEY));
    const multiline = new Error(`first\n    at ${KEY}\nlast`);
    assert.doesNotMatch(JSON.stringify(describeError(multiline)), new RegExp(KEY));
  });

  it("keeps only the code word of what Redis replies, which quotes arguments", () => {
    const error = new Error("ERR unknown command 'FOO', with args beginning with: 'open sesame'");
    error.name = "ReplyError";
    assert.equal(describeError(error).message, "ERR");
  });

  it("leaves out what a parser quotes of its input", () => {
    let thrown: unknown;
    try {
      JSON.parse('{"text": "open sesame');
    } catch (error) {
      thrown = error;
    }
    assert.doesNotMatch(JSON.stringify(describeError(thrown)), /sesame/);
  });

  it("says nothing of something thrown that is no error", () => {
    assert.doesNotMatch(JSON.stringify(describeError(KEY)), new RegExp(KEY));
  });
});
