import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { argon2id } from "../envelope/argon2id.ts";
import { utf8 } from "../envelope/bytes.ts";
import type * as Pool from "./argon2id-pool.ts";

// Worker threads run what was built.
const built = new URL("../../dist/web/argon2id-pool.js", import.meta.url).href;
const { createPassphraseHasher } = (await import(built)) as typeof Pool;

const salt = new Uint8Array(16).fill(7);

describe("createPassphraseHasher", () => {
  it("gives what Argon2id gives, while the event loop goes on turning", async () => {
    const hash = createPassphraseHasher();
    let turns = 0;
    const ticking = setInterval(() => (turns += 1), 5);
    const stretched = await hash(utf8("correct horse"), salt);
    clearInterval(ticking);
    assert.deepEqual(stretched, argon2id(utf8("correct horse"), salt));
    assert.ok(turns > 1, `${turns} turns`);
  });

  it("leaves the caller's buffers to the caller", async () => {
    const passphrase = utf8("correct horse");
    await createPassphraseHasher()(passphrase, salt);
    assert.deepEqual(passphrase, utf8("correct horse"));
  });

  it("refuses at once what is more than the queue holds, and goes on afterwards", async () => {
    const hash = createPassphraseHasher({ queueLength: 1 });
    const asked = [1, 2, 3].map((n) => hash(utf8(`passphrase ${n}`), salt));
    const ends = await Promise.allSettled(asked);
    assert.deepEqual(
      ends.map(({ status }) => status),
      ["fulfilled", "fulfilled", "rejected"],
    );
    assert.equal((ends[2] as PromiseRejectedResult).reason.code, "busy");
    assert.equal((await hash(utf8("again"), salt)).length, 32);
  });
});
