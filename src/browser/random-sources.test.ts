import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";

const MATH_RANDOM = /Math\s*(\?\.|\.|\[["'`])\s*random|\{[^}]*\brandom\b[^}]*\}\s*=\s*Math\b/;

function scriptsIn(folder: string): [name: string, text: string][] {
  const directory = new URL(folder, import.meta.url);
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.[jt]s$/.test(name) && !name.endsWith(".test.ts"))
    .map((name) => [name, readFileSync(new URL(name, directory), "utf8")]);
}

describe("Math.random, which can be predicted from a few of its numbers", () => {
  for (const folder of ["./", "../envelope/", "../../dist/assets/"]) {
    it(`is nowhere in ${new URL(folder, "file:///src/browser/").pathname}`, () => {
      const scripts = scriptsIn(folder);
      assert.ok(scripts.length > 5, "there are no scripts here; run npm run build");
      const found = scripts.filter(([, text]) => MATH_RANDOM.test(text)).map(([name]) => name);
      assert.deepEqual(found, []);
    });
  }

  it("would be found however it is spelt", () => {
    for (const text of ["Math.random()", 'Math["random"]', "const { random } = Math", "{random:a}=Math"]) {
      assert.match(text, MATH_RANDOM);
    }
  });
});
