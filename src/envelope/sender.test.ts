import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { decodeUtf8 } from "./bytes.ts";
import { UnsealableError } from "./errors.ts";
import { deriveLinkKeys } from "./keys.ts";
import { parseFragment } from "./link.ts";
import { textPart } from "./parts.ts";
import { gather } from "./seal.ts";
import { prepareSecret } from "./sender.ts";
import { cheapHash, noHash, open } from "./testing.ts";
import { parseDigest, parseId, parseReceiptFragment, parseShare, type Share } from "./tokens.ts";

const parts = () => [textPart("hunter2")];

describe("a prepared secret", () => {
  for (const passphrase of ["", "swordfish"]) {
    it(`opens with its link, share and ${passphrase ? "passphrase" : "no passphrase"}`, async () => {
      const secret = await prepareSecret(parts(), passphrase, passphrase ? cheapHash : noHash);
      const { fields } = secret;
      const blob = await gather(secret.sealing);
      const linkKeys = await deriveLinkKeys(await parseFragment(secret.linkFragment));
      const keys = await linkKeys.unlock(passphrase || undefined, cheapHash);
      const { contents } = await open({ keys, share: parseShare(fields.share) as Share }, blob);
      assert.equal(decodeUtf8(contents[0] ?? new Uint8Array(1)), "hunter2");
      assert.equal(fields.size, blob.length);
      assert.equal(fields.passphrase, passphrase !== "");

      const digest = (name: string, proof: Uint8Array) =>
        createHash("sha256").update(`waxseal/1 ${name}`).update(proof).digest("base64url");
      assert.equal(fields.id, linkKeys.id);
      assert.equal(fields.linkHash, digest("HL", linkKeys.linkProof));
      assert.equal(fields.accessHash, digest("HA", keys.accessProof));
      assert.equal(fields.receiptHash, digest("HR", secret.receiptToken));
      assert.deepEqual(parseReceiptFragment(secret.receiptFragment), {
        id: fields.id,
        proof: secret.receiptToken,
      });
    });
  }

  it("sends nothing that opens, confirms or names the link's key, the proofs or the receipt", async () => {
    const secret = await prepareSecret(parts(), "swordfish", cheapHash);
    const { id, linkHash, accessHash, share, receiptHash, ...rest } = secret.fields;
    assert.deepEqual(rest, { passphrase: true, size: 1104 });
    assert.ok(parseId(id) && parseShare(share));
    for (const each of [linkHash, accessHash, receiptHash]) assert.ok(parseDigest(each));
    const sent = Buffer.from(JSON.stringify(secret.fields));
    const link = await parseFragment(secret.linkFragment);
    const linkKeys = await deriveLinkKeys(link);
    const { accessProof } = await linkKeys.unlock("swordfish", cheapHash);
    for (const kept of [link.key, linkKeys.linkProof, accessProof, secret.receiptToken]) {
      assert.ok(!sent.includes(Buffer.from(kept).toString("base64url")));
    }
    assert.ok(!sent.includes("swordfish") && !sent.includes("hunter2"));
  });

  it("has wiped the link's key when it is there, and also when it failed", async (t) => {
    const made: Uint8Array[] = [];
    const random = crypto.getRandomValues.bind(crypto);
    t.mock.method(crypto, "getRandomValues", (array: Uint8Array<ArrayBuffer>) => {
      made.push(array);
      return random(array);
    });
    await prepareSecret(parts(), "", noHash);
    await assert.rejects(prepareSecret(parts(), "swordfish", noHash));
    await assert.rejects(prepareSecret([], "", noHash), UnsealableError);
    const keys = made.filter((_, i) => [0, 3, 4].includes(i)); // each call's first: K, share, receipt; K; K, …
    assert.equal(keys.length, 3);
    for (const key of keys) assert.ok(key.length === 32 && key.every((byte) => byte === 0));
  });

  it("leaves nothing in the buffers that the platform took keys from and put proofs into", async (t) => {
    const buffers: Uint8Array[] = [];
    const { importKey, digest, deriveBits } = crypto.subtle;
    t.mock.method(crypto.subtle, "importKey", (...args: Parameters<typeof importKey>) => {
      if (args[1] instanceof Uint8Array) buffers.push(args[1]);
      return importKey.apply(crypto.subtle, args);
    });
    t.mock.method(crypto.subtle, "digest", (...args: Parameters<typeof digest>) => {
      if (args[1] instanceof Uint8Array) buffers.push(args[1]);
      return digest.apply(crypto.subtle, args);
    });
    t.mock.method(crypto.subtle, "deriveBits", async (...args: Parameters<typeof deriveBits>) => {
      const bits = await deriveBits.apply(crypto.subtle, args);
      if (bits.byteLength === 32) buffers.push(new Uint8Array(bits)); // 16: the id and the salt
      return bits;
    });
    await prepareSecret(parts(), "swordfish", async () => new Uint8Array(32).fill(7));
    // K, and K ‖ PW; the link's check, HL, HA, HR; L and A.
    assert.deepEqual(buffers.map(({ length }) => length).sort(), [32, 32, 32, 44, 44, 44, 48, 64]);
    for (const buffer of buffers)
      assert.ok(
        buffer.every((byte) => byte === 0),
        `${buffer.length} bytes`,
      );
  });

  it("shares no random value with any other", async () => {
    const [a, b] = [await prepareSecret(parts(), "", noHash), await prepareSecret(parts(), "", noHash)];
    for (const field of ["id", "linkHash", "accessHash", "share", "receiptHash"] as const) {
      assert.notEqual(a.fields[field], b.fields[field], field);
    }
    assert.notEqual(a.linkFragment, b.linkFragment);
  });

  it("isn't made with half a surrogate pair in the passphrase, which nobody could type again", async () => {
    await assert.rejects(prepareSecret(parts(), "a\ud800", cheapHash), UnsealableError);
  });
});
