import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import vectors from "./envelope-vectors.json" with { type: "json" };
import { derive, frame, sealPlaintext } from "./second-implementation.ts";
import {
  checkAesGcm,
  checkEnvelopeVector,
  checkHkdf,
  type EnvelopeVector,
  expandParts,
} from "./vector-checks.ts";
import aesGcm from "./wycheproof/aes-256-gcm.json" with { type: "json" };
import hkdf from "./wycheproof/hkdf-sha256.json" with { type: "json" };

const all: readonly EnvelopeVector[] = vectors;
const bytes = (text: string) => Buffer.from(text, "base64url");

describe("envelope vectors", () => {
  it("still hold the four that came with the protocol", () => {
    assert.deepEqual(
      all
        .slice(0, 4)
        .map(({ name, fragment, id, blobLength, blobSha256 }) => [
          name,
          fragment,
          id,
          blobLength,
          blobSha256,
        ]),
      [
        [
          "text",
          "AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fe_VJ",
          "HvuAN0Brrid4XNCwsJPbLw",
          1104,
          "d1ffc3e713cdb95cdf6516a7832a4ed8c3c009c115838ca84c321a4acc323ee9",
        ],
        [
          "text with a passphrase (NFKC)",
          "AgABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fJc-E",
          "FQ9kOFA8IE0cXahZvJApEQ",
          1104,
          "adde50f46a9af3c69823b3870a345f7cc5b1f04c65c1eb39293781eccf97b9b5",
        ],
        [
          "text and a file",
          "AR8eHRwbGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgEAxLEq",
          "Gk7bUVehcCqhuehIO7jUaw",
          1744,
          "4e501c5155b048c4477ed5481159c19b40c57628fc0a639ca2838b212d0c90d0",
        ],
        [
          "three chunks",
          "ASAhIiMkJSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4_mmQO",
          "RskV9lf_xYvGhMuNUj-R3A",
          151664,
          "62c3d6ba5c14ea6389ef015752bcb244f523addca528884810ce46db0211780f",
        ],
      ],
    );
  });

  for (const vector of all) {
    it(`is reproduced byte for byte and opened: ${vector.name}`, () => checkEnvelopeVector(vector));

    it(`is what the second implementation makes: ${vector.name}`, async () => {
      const derived = await derive({
        k: bytes(vector.k),
        share: bytes(vector.share),
        passphrase: vector.passphrase,
      });
      const parts = expandParts(vector.parts);
      const described = parts.map(({ content: _, ...description }) => description);
      const blob = sealPlaintext(
        derived,
        frame(JSON.stringify({ parts: described }), Buffer.concat(parts.map(({ content }) => content))),
      );
      assert.equal(derived.fragment, vector.fragment);
      assert.equal(derived.id.toString("base64url"), vector.id);
      assert.equal(derived.linkProof.toString("base64url"), vector.linkProof);
      assert.equal(derived.accessProof.toString("base64url"), vector.accessProof);
      assert.equal(derived.linkHash.toString("base64url"), vector.linkHash);
      assert.equal(derived.accessHash.toString("base64url"), vector.accessHash);
      assert.equal(createHash("sha256").update(blob).digest("hex"), vector.blobSha256);
      for (const [i, { sha256 }] of vector.parts.entries()) {
        if (sha256)
          assert.equal(
            createHash("sha256")
              .update(parts[i]?.content ?? "")
              .digest("hex"),
            sha256,
          );
      }
    });
  }

  it("are checked in every field: a changed one is found", async () => {
    const vector = all[0] as EnvelopeVector;
    const fields = [
      "id",
      "linkProof",
      "accessProof",
      "linkHash",
      "accessHash",
      "blobSha256",
      "blob",
    ] as const;
    for (const field of fields) {
      const changed = {
        ...vector,
        [field]: (vector[field] ?? "").replace(/^./, (c) => (c === "0" ? "1" : "0")),
      };
      await assert.rejects(checkEnvelopeVector(changed), new RegExp(`^Error: text: ${field} is`));
    }
    await assert.rejects(checkEnvelopeVector({ ...vector, blobLength: 1105 }));
    await assert.rejects(checkEnvelopeVector({ ...vector, parts: [{ kind: "text", data: "aHVudGVyMw" }] }));
  });

  it("give one blob for a passphrase in composed, decomposed and compatibility spelling", () => {
    const spelt = all.filter(({ name }) => /^passphrase, (composed|decomposed|compat)/.test(name));
    assert.equal(new Set(spelt.map(({ passphrase }) => passphrase)).size, 3);
    assert.equal(new Set(spelt.map(({ blob }) => blob)).size, 1);
  });
});

describe("Wycheproof's vectors with this platform's primitives", () => {
  it("AES-256-GCM encrypts, decrypts and refuses as they say", async (t) => {
    await Promise.all(aesGcm.tests.map(checkAesGcm));
    t.diagnostic(`${aesGcm.tests.length} AES-256-GCM vectors`);
    assert.equal(aesGcm.tests.length, 66);
  });

  it("HKDF-SHA-256 derives and refuses as they say", async (t) => {
    await Promise.all(hkdf.tests.map(checkHkdf));
    t.diagnostic(`${hkdf.tests.length} HKDF-SHA-256 vectors`);
    assert.equal(hkdf.tests.length, 86);
  });
});
