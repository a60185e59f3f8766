import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { COMMANDS } from "./redis-commands.ts";
import { commandName, loadScripts } from "./redis-scripts.ts";

describe("The Lua scripts", () => {
  it("are all there, each with the keys it uses declared in its header", () => {
    const scripts = loadScripts();
    assert.equal(scripts.length, 29);
    for (const { name, lua, numberOfKeys } of scripts) {
      const [header = "", ...body] = lua.split("\n\n");
      const code = body.join("\n\n");
      const numbers = (text: string, what: string) =>
        new Set(
          [...text.matchAll(new RegExp(`${what}\\[(\\d+)\\]`, "g"))].map(([, number]) => Number(number)),
        );
      assert.deepEqual(numbers(code, "KEYS"), numbers(header, "KEYS"), `${name}: KEYS`);
      assert.deepEqual(numbers(code, "ARGV"), numbers(header, "ARGV"), `${name}: ARGV`);
      assert.equal(numberOfKeys, numbers(header, "KEYS").size, name);
      assert(header.startsWith("-- "), `${name} has no header`);
    }
  });

  it("address no key but those in KEYS, so that they run in a Cluster", () => {
    for (const { name, lua } of loadScripts()) {
      // Two commands name their keys further on.
      const keysFirst = lua
        .replaceAll("'XGROUP', 'CREATE'", "'XGROUP'")
        .replaceAll(/'XREADGROUP', .*'STREAMS'/g, "'XREADGROUP'");
      for (const [call, command, firstArgument] of keysFirst.matchAll(
        /redis\.p?call\('([A-Z]+)'(?:, ([^,)\s]+))?/g,
      )) {
        if (command === "TIME") continue;
        assert.match(firstArgument ?? "", /^KEYS\[\d\]$/, `${name}: ${call}`);
      }
      assert.doesNotMatch(lua.replace(/^--.*$/gm, ""), /ws:|SCAN|'KEYS'/, name);
    }
  });

  it("call only what the table of commands lets Redis' user do", () => {
    const allowed = new Set(COMMANDS.map(({ name }) => name));
    const called = loadScripts().flatMap(({ lua }) => [
      ...lua.matchAll(/redis\.p?call\('([A-Z]+)'(?:, '([A-Z]+)')?/g),
    ]);
    const names = called.map(([, command = "", sub]) => [command, `${command}|${sub}`]);
    assert(names.length > 100);
    for (const spelt of names)
      assert(
        spelt.some((name) => allowed.has(name.toLowerCase())),
        spelt[0],
      );
  });

  it("never name the key of a share", () => {
    for (const { name, lua } of loadScripts()) {
      assert.doesNotMatch(lua, /^-- KEYS\[\d\].*share/m, name);
    }
  });

  it("fail the start when they are not where they should be", () => {
    const folder = mkdtempSync(join(tmpdir(), "waxseal-lua-"));
    try {
      const url = pathToFileURL(`${folder}/`);
      assert.throws(() => loadScripts(url), /\.lua is not in .*Copy src\/store\/lua/);
      writeFileSync(join(folder, "create-secret.lua"), "return 1");
      assert.throws(() => loadScripts(url), /abandon-upload\.lua/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("become commands that no other program would define", () => {
    assert.equal(commandName("open-secret"), "waxsealOpenSecret");
  });
});
