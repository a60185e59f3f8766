import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openScriptPage, type ScriptPage } from "../testing/script-page.ts";
import vectors from "./envelope-vectors.json" with { type: "json" };
import type { EnvelopeVector } from "./vector-checks.ts";
import aesGcm from "./wycheproof/aes-256-gcm.json" with { type: "json" };
import hkdf from "./wycheproof/hkdf-sha256.json" with { type: "json" };

/** In the page. */
declare const checks: typeof import("./vector-checks.ts");

const all: readonly EnvelopeVector[] = vectors;

describe("in Chromium", () => {
  let chromium: ScriptPage;
  before(async () => {
    chromium = await openScriptPage(new URL("./vector-checks.ts", import.meta.url), "checks");
  });
  after(() => chromium?.close());

  for (const vector of all) {
    it(`the vector is reproduced byte for byte and opened: ${vector.name}`, () =>
      chromium.page.evaluate((each) => checks.checkEnvelopeVector(each), vector));
  }

  it("a vector that isn't right is found out", async () => {
    const wrong = { ...(all[0] as EnvelopeVector), blobSha256: "00" };
    await assert.rejects(
      chromium.page.evaluate((each) => checks.checkEnvelopeVector(each), wrong),
      /blobSha256 is d1ffc3e7/,
    );
  });

  it("a blob with one bit flipped in any of its bytes is unreadable", async (t) => {
    const vector = all[0] as EnvelopeVector;
    const refused = await chromium.page.evaluate((each) => checks.countRefusedFlips(each), vector);
    t.diagnostic(`${refused} bit flips refused in Chromium ${chromium.browser.version()}`);
    assert.equal(refused, vector.blobLength);
  });

  it("AES-256-GCM encrypts, decrypts and refuses as Wycheproof's vectors say", async (t) => {
    const tests = aesGcm.tests;
    await chromium.page.evaluate((each) => Promise.all(each.map(checks.checkAesGcm)), tests);
    t.diagnostic(`${tests.length} AES-256-GCM vectors`);
  });

  it("HKDF-SHA-256 derives and refuses as Wycheproof's vectors say", async (t) => {
    const tests = hkdf.tests;
    await chromium.page.evaluate((each) => Promise.all(each.map(checks.checkHkdf)), tests);
    t.diagnostic(`${tests.length} HKDF-SHA-256 vectors`);
  });
});
