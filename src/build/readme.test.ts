import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { knownNames } from "../config/environment.ts";
import { parseConfig } from "../config/parse-config.ts";
import { describeSettings } from "../config/schema.ts";
import { updateReadme } from "./readme.ts";

const place = "<!-- config:begin -->\n<!-- config:end -->";

describe("README.md", () => {
  it("holds what the schema of the settings says now", () => {
    const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
    assert.equal(readme, updateReadme(readme), "README.md has drifted. Run: npx tsx src/build/readme.ts");
  });
});

describe("updateReadme", () => {
  it("names every setting and every file variant", () => {
    const text = updateReadme(place);
    for (const name of knownNames()) assert.ok(text.includes(`\`${name}\``), name);
  });

  it("shows defaults that mean the same when they are written out", () => {
    const written = describeSettings().flatMap((setting) =>
      setting.default === undefined ? [] : [[setting.name, setting.default]],
    );
    const readFile = () => assert.fail("no file is named");
    assert.deepEqual(parseConfig(Object.fromEntries(written), readFile), parseConfig({}, readFile));
  });

  it("leaves everything outside the markers alone and changes nothing the second time", () => {
    const text = updateReadme(`before $& $1\n${place}\nafter`);
    assert.ok(text.startsWith("before $& $1\n<!-- config:begin -->\n| Setting "));
    assert.ok(text.endsWith("\n<!-- config:end -->\nafter"));
    assert.equal(updateReadme(text), text);
  });

  it("keeps a part whose markers share a line in that line", () => {
    const text = updateReadme(`${place}\nNode.js <!-- node:begin -->1<!-- node:end --> or later`);
    assert.match(text, /Node\.js <!-- node:begin -->\d+\.\d+<!-- node:end --> or later$/);
  });

  it("refuses a README without a place for the settings, with half a pair of markers, or with an unknown name", () => {
    assert.throws(() => updateReadme("# Waxseal"), /no place for its table/);
    assert.throws(() => updateReadme("<!-- config:begin -->"), /needs both markers/);
    assert.throws(() => updateReadme(`${place}<!-- nodes:begin --><!-- nodes:end -->`), /asks for nodes/);
  });
});
