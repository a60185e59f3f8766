import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { aclRules, COMMANDS } from "../store/redis-commands.ts";
import { aclFiles, aclPath } from "./redis-acl.ts";

describe("The users of Redis in chart and compose", () => {
  for (const { path, render } of aclFiles) {
    it(`may do in ${path} what the table of commands says`, () => {
      const text = readFileSync(aclPath(path), "utf8");
      assert.equal(text, render(text), `${path} has drifted. Run: npm run readme`);
      for (const { name } of COMMANDS)
        assert.match(text, new RegExp(`[ '\\n]\\+${name.replace("|", "\\|")}[ '\\n]`));
    });
  }

  it("may touch the keys that start with the prefix, and one channel", () => {
    assert.match(aclRules("team-a:"), /^~team-a:ws:\* resetchannels &team-a:ws:changed -@all \+hello /);
  });
});
