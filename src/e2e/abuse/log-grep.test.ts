import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type Needles, rememberSecret } from "../../testing/every-flow.ts";
import { sealSecret } from "../../testing/sealed-secret.ts";
import { createGrep } from "./log-grep.ts";

describe("The search of the logs", () => {
  it("finds each part of each secret in each spelling, wherever it stands", async () => {
    const needles: Needles = new Map();
    const secret = await sealSecret({
      text: "a text that is nobody's business",
      passphrase: "told by phone",
    });
    rememberSecret(needles, "one", secret);
    const grep = createGrep(needles);
    const dir = await mkdtemp(join(tmpdir(), "waxseal-grep-"));
    try {
      for (const [name, bytes] of needles) {
        for (const encoding of ["hex", "base64url", "base64", "utf8"] as const) {
          const path = join(dir, "log");
          const text = Buffer.from(bytes).toString(encoding);
          // At the start, and across the border between two pieces that are read.
          for (const before of encoding === "hex" ? [0, 2 ** 22 - 5] : [0]) {
            await writeFile(path, `${"x".repeat(before)}${text}"}\n`);
            assert.equal(
              (await grep.file(path)).found.get(name),
              1,
              `${name} as ${encoding} after ${before}`,
            );
          }
        }
      }
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});
