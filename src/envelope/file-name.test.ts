import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { distinctFileNames, safeFileName } from "./file-name.ts";

const cases: Readonly<Record<string, readonly (readonly [given: string | undefined, safe: string])[]>> = {
  "leaves ordinary names in any script as they are": [
    ["notes.zip", "notes.zip"],
    [".env", ".env"],
    ["Straße & Café – 2026 (final).pdf", "Straße & Café – 2026 (final).pdf"],
    ["密码.txt", "密码.txt"],
    ["סיסמה.pdf", "סיסמה.pdf"],
    ["می‌خواهم.txt", "می‌خواهم.txt"],
    ["👩‍👩‍👧.png", "👩‍👩‍👧.png"],
    ["compose.yaml", "compose.yaml"],
  ],
  "takes the last step of a path": [
    ["../../.ssh/authorized_keys", "authorized_keys"],
    ["C:\\Windows\\System32\\drivers\\etc\\hosts", "hosts"],
    ["/etc/passwd", "passwd"],
    ["folder/", "folder"],
    ["a/ /\\", "a"],
  ],
  "names what has no name": [
    [undefined, "file"],
    ["", "file"],
    ["..", "file"],
    ["/", "file"],
    [" . . ", "file"],
    ["\u0000\u202e", "file"],
  ],
  "removes what can't be seen or turns the line around": [
    ["ann\u202etxt.exe", "anntxt.exe"],
    ["a\u0000b\u001bc\u0085d.txt", "abcd.txt"],
    ["pa\u200bss\u2066wo\u2069rd\ufeff.txt", "password.txt"],
    ["line\u2028break\r\n.txt", "linebreak.txt"],
    ["\ud800half.txt", "half.txt"],
    ["tag\u{e0041}.txt", "tag.txt"],
  ],
  "brings an extension back that blanks push out of sight": [
    [`invoice.pdf${" ".repeat(200)}.exe`, "invoice.pdf .exe"],
    ["invoice.pdf\u3000\u00a0\u2003.exe", "invoice.pdf .exe"],
  ],
  "drops what Windows drops at the end, or can't have": [
    ["notes.txt. . ", "notes.txt"],
    ["what?*<>|.txt", "what_____.txt"],
    ["file.txt:hidden", "file.txt_hidden"],
  ],
  "doesn't let a file be a device": [
    ["CON", "_CON"],
    ["nul.txt", "_nul.txt"],
    ["com1.tar.gz", "_com1.tar.gz"],
    ["LPT³ .x", "_LPT³ .x"],
    ["aux.", "_aux"],
    ["console.log", "console.log"],
    ["com10.txt", "com10.txt"],
  ],
};

describe("a safe file name", () => {
  for (const [what, names] of Object.entries(cases)) {
    it(what, () => {
      for (const [given, safe] of names) assert.equal(safeFileName(given), safe, JSON.stringify(given));
    });
  }

  it("is short enough for every file system, keeps its extension and isn't cut inside a character", () => {
    const long = safeFileName(`${"é".repeat(300)}.tar`);
    assert.equal(long, `${"é".repeat(98)}.tar`);
    const family = safeFileName(`${"👩‍👩‍👧".repeat(60)}.png`);
    assert.match(family, /^(👩‍👩‍👧)+\.png$/u);
    assert.ok(Buffer.byteLength(safeFileName(`a.${"x".repeat(400)}`)) <= 200);
  });

  it("is safe whatever was given, and stays as it is when it is made safe again", () => {
    const given = fc.oneof(
      fc.string({ unit: "binary", maxLength: 300 }),
      fc.string({
        unit: fc.constantFrom("/", "\\", ".", " ", "con", "\u202e", "a", ":", "\ud800"),
        maxLength: 90,
      }),
    );
    fc.assert(
      fc.property(given, (name) => {
        const safe = safeFileName(name);
        assert.doesNotMatch(safe, /[/\\:<>"|?*\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u);
        assert.doesNotMatch(safe, /^$|^ |[. ]$/);
        assert.ok(Buffer.byteLength(safe) <= 200);
        assert.equal(safeFileName(safe), safe);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("file names beside each other", () => {
  it("are numbered where two would be one file, upper and lower case being the same on many disks", () => {
    assert.deepEqual(
      distinctFileNames(["a.txt", "A.TXT", "b", "x/a.txt", "a (2).txt", undefined, "", "e\u0301", "é"]),
      ["a.txt", "A (2).TXT", "b", "a (3).txt", "a (2) (2).txt", "file", "file (2)", "e\u0301", "é (2)"],
    );
  });

  it("are numbered in one go where 40,000 are equal, which no server or tab could count up one by one", () => {
    const names = distinctFileNames(Array.from({ length: 40_000 }, () => "same.txt"));
    assert.equal(names[1], "same (2).txt");
    assert.equal(names.at(-1), "same (40000).txt");
    assert.equal(new Set(names).size, 40_000);
  });

  it("keep a hidden file's dot in front", () => {
    assert.deepEqual(distinctFileNames([".env", ".env"]), [".env", ".env (2)"]);
  });
});
