import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parsePeople } from "./people.ts";

describe("the people who each get a link", () => {
  it("are one to a line, without what surrounds them, and none where nothing was written", () => {
    assert.deepEqual(parsePeople(" Anna \r\n\n\tBo Møller\n"), { people: ["Anna", "Bo Møller"] });
    assert.deepEqual(parsePeople(" \n"), { people: [] });
  });

  it("are 50 at most, with short names that differ", () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => `person ${i}`).join("\n");
    assert.ok("people" in parsePeople(many(50)));
    assert.deepEqual(parsePeople(many(51)), { problem: "51 people are too many. The limit is 50." });
    assert.deepEqual(parsePeople("Anna\nBo\nAnna "), {
      problem: "Anna is there twice. Write it so that you can tell the links apart.",
    });
    assert.match(JSON.stringify(parsePeople("x".repeat(101))), /The limit is 100 characters/);
  });
});
