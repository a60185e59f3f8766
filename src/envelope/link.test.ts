import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { IncompleteLinkError } from "./errors.ts";
import { createLinkSecret, FRAGMENT_LENGTH, formatFragment, parseFragment } from "./link.ts";
import { SUITE_PASSPHRASE, SUITE_PLAIN } from "./suite.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const fragment = "AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fe_VJ";

async function expectIncomplete(text: string): Promise<void> {
  await assert.rejects(
    parseFragment(text),
    (error: unknown) => {
      assert.ok(error instanceof IncompleteLinkError);
      assert.equal(error.code, "incomplete-link");
      assert.equal(error.cause, undefined);
      return true;
    },
    `${JSON.stringify(text)} was read`,
  );
}

describe("a link's fragment", () => {
  it("carries suite and key, for both suites", async () => {
    for (const suite of [SUITE_PLAIN, SUITE_PASSPHRASE] as const) {
      const link = createLinkSecret(suite);
      const text = await formatFragment(link);
      assert.match(text, /^[\w-]{48}$/);
      assert.equal(text.length, FRAGMENT_LENGTH);
      assert.deepEqual(await parseFragment(text), link);
    }
  });

  it("is incomplete after any change of one character", async (t) => {
    let tried = 0;
    for (let at = 0; at < fragment.length; at++) {
      for (const character of [...ALPHABET, "=", "+", "/", " ", "%", "."]) {
        if (character === fragment[at]) continue;
        await expectIncomplete(fragment.slice(0, at) + character + fragment.slice(at + 1));
        tried += 1;
      }
    }
    t.diagnostic(`${tried} changes tried`);
  });

  it("is incomplete when cut at any length, from either end, or with a character dropped or doubled", async () => {
    for (let at = 0; at < fragment.length; at++) {
      await expectIncomplete(fragment.slice(0, at));
      await expectIncomplete(fragment.slice(at + 1));
      await expectIncomplete(fragment.slice(0, at) + fragment.slice(at + 1));
      await expectIncomplete(fragment.slice(0, at) + fragment.charAt(at) + fragment.slice(at));
    }
  });

  it("is incomplete when two neighbouring characters change places", async () => {
    for (let at = 0; at + 1 < fragment.length; at++) {
      if (fragment[at] === fragment[at + 1]) continue;
      const [a, b] = [fragment.charAt(at), fragment.charAt(at + 1)];
      await expectIncomplete(fragment.slice(0, at) + b + a + fragment.slice(at + 2));
    }
  });

  it("is incomplete with anything before or behind it", async () => {
    for (const more of ["A", "=", "==", " ", "\n", "\u00a0", ".", ")", "#", "&utm_source=chat", fragment]) {
      await expectIncomplete(fragment + more);
      await expectIncomplete(more + fragment);
    }
  });

  it("is incomplete in another case, percent-encoded, or in the standard alphabet", async () => {
    await expectIncomplete(fragment.toUpperCase());
    await expectIncomplete(fragment.toLowerCase());
    await expectIncomplete([...fragment].map((c) => `%${c.charCodeAt(0).toString(16)}`).join(""));
    await expectIncomplete(fragment.replace("_", "%5F"));
    await expectIncomplete(fragment.replace("_", "/"));
  });

  it("is incomplete for a suite outside the table, though its check bytes fit", async () => {
    for (const suite of [0, 3, 0x10, 0xff]) {
      const text = await formatFragment({ suite: suite as typeof SUITE_PLAIN, key: new Uint8Array(32) });
      await expectIncomplete(text);
    }
  });
});
