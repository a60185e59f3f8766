import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { wipe } from "./bytes.ts";
import { UnreadableError } from "./errors.ts";
import { deriveContentKey, importKeyingMaterial, label } from "./hkdf.ts";
import { deriveLinkKeys, type PassphraseHash } from "./keys.ts";
import { encodeHeader } from "./layout.ts";
import { createLinkSecret } from "./link.ts";
import { SUITE_PASSPHRASE, SUITE_PLAIN } from "./suite.ts";
import { cheapHash, noHash } from "./testing.ts";
import { createShare } from "./tokens.ts";

const isZero = (bytes: Uint8Array) => bytes.every((byte) => byte === 0);

describe("key material", () => {
  it("cannot be read back out of any key, raw or wrapped", async () => {
    const material = await importKeyingMaterial(new Uint8Array(32).fill(7));
    const content = await deriveContentKey(material, new Uint8Array(32), label("content", SUITE_PLAIN));
    const linkKeys = await deriveLinkKeys(createLinkSecret(SUITE_PLAIN));
    const accessKeys = await linkKeys.unlock(undefined, noHash);
    const { key } = await accessKeys.contentKeys(createShare(), encodeHeader(SUITE_PLAIN, linkKeys.id, 1024));
    for (const each of [material, content, key]) {
      assert.equal(each.extractable, false);
      await assert.rejects(crypto.subtle.exportKey("raw", each));
      await assert.rejects(crypto.subtle.exportKey("jwk", each));
    }
    assert.deepEqual([...key.usages].sort(), ["decrypt", "encrypt"]);
  });

  it("is zero after wipe: K and the link proof", async () => {
    const link = createLinkSecret(SUITE_PLAIN);
    const linkKeys = await deriveLinkKeys(link);
    assert.ok(!isZero(link.key) && !isZero(linkKeys.linkProof));
    linkKeys.wipe();
    assert.ok(isZero(link.key) && isZero(linkKeys.linkProof));
  });

  it("is zero after unlocking: the passphrase's bytes and what Argon2id made of them", async () => {
    const linkKeys = await deriveLinkKeys(createLinkSecret(SUITE_PASSPHRASE));
    const held: Uint8Array[] = [];
    await linkKeys.unlock("swordfish", async (passphrase, salt) => {
      const stretched = await cheapHash(passphrase, salt);
      held.push(passphrase, stretched);
      assert.equal(Buffer.from(passphrase).toString(), "swordfish");
      return stretched;
    });
    assert.equal(held.length, 2);
    assert.ok(held.every(isZero));
  });

  it("is zero where Argon2id failed, and the failure comes through as it is", async () => {
    const linkKeys = await deriveLinkKeys(createLinkSecret(SUITE_PASSPHRASE));
    const fault = new Error("The worker died.");
    let held: Uint8Array | undefined;
    const failing: PassphraseHash = async (passphrase) => {
      held = passphrase;
      throw fault;
    };
    await assert.rejects(linkKeys.unlock("swordfish", failing), (error) => error === fault);
    assert.ok(held && isZero(held));
  });

  it("may be handed to a worker for good", async () => {
    const linkKeys = await deriveLinkKeys(createLinkSecret(SUITE_PASSPHRASE));
    const transferring: PassphraseHash = (passphrase, salt) =>
      cheapHash(
        structuredClone(passphrase, { transfer: [passphrase.buffer] }),
        structuredClone(salt, { transfer: [salt.buffer] }),
      );
    const { accessProof } = await linkKeys.unlock("swordfish", transferring);
    assert.deepEqual(accessProof, (await linkKeys.unlock("swordfish", cheapHash)).accessProof);
    const gone = new Uint8Array(8);
    structuredClone(gone, { transfer: [gone.buffer] });
    wipe(gone, undefined);
  });

  it("is refused once wiped, also where the wipe comes while Argon2id is at work", async () => {
    for (const suite of [SUITE_PLAIN, SUITE_PASSPHRASE] as const) {
      const linkKeys = await deriveLinkKeys(createLinkSecret(suite));
      linkKeys.wipe();
      const passphrase = suite === SUITE_PLAIN ? undefined : "swordfish";
      await assert.rejects(linkKeys.unlock(passphrase, cheapHash), /wiped/);
    }
    const linkKeys = await deriveLinkKeys(createLinkSecret(SUITE_PASSPHRASE));
    const wipingMeanwhile: PassphraseHash = async (passphrase, salt) => {
      linkKeys.wipe();
      return cheapHash(passphrase, salt);
    };
    await assert.rejects(linkKeys.unlock("swordfish", wipingMeanwhile), /wiped/);
  });

  it("is refused where the hash isn't 32 bytes: a broken worker must not take the passphrase out", async () => {
    const linkKeys = await deriveLinkKeys(createLinkSecret(SUITE_PASSPHRASE));
    for (const length of [0, 16, 31, 33]) {
      await assert.rejects(
        linkKeys.unlock("swordfish", async () => new Uint8Array(length)),
        RangeError,
      );
    }
  });
});

describe("a passphrase", () => {
  it("reaches Argon2id as NFKC in UTF-8, with a salt of 16 bytes that K and the suite determine", async () => {
    const seen: string[] = [];
    const recording: PassphraseHash = (passphrase, salt) => {
      assert.equal(salt.length, 16);
      seen.push(`${Buffer.from(passphrase).toString("hex")} ${Buffer.from(salt).toString("hex")}`);
      return cheapHash(passphrase, salt);
    };
    const linkKeys = await deriveLinkKeys({ suite: SUITE_PASSPHRASE, key: new Uint8Array(32).fill(1) });
    for (const spelling of ["\u00e9", "e\u0301"]) await linkKeys.unlock(spelling, recording);
    const other = await deriveLinkKeys({ suite: SUITE_PASSPHRASE, key: new Uint8Array(32).fill(2) });
    await other.unlock("\u00e9", recording);
    assert.equal(seen[0], seen[1]);
    assert.ok(seen[0]?.startsWith("c3a9 ") && seen[2]?.startsWith("c3a9 "));
    assert.notEqual(seen[0], seen[2]);
  });

  it("is asked for where the suite has one, refused where it hasn't, and hashed in neither case", async () => {
    const withOne = await deriveLinkKeys(createLinkSecret(SUITE_PASSPHRASE));
    for (const passphrase of [undefined, "", "\ud83d"]) {
      await assert.rejects(withOne.unlock(passphrase, noHash), UnreadableError);
    }
    const without = await deriveLinkKeys(createLinkSecret(SUITE_PLAIN));
    for (const passphrase of ["", "swordfish"])
      await assert.rejects(without.unlock(passphrase, noHash), UnreadableError);
  });

  it("may be tried again after a wrong one", async () => {
    const linkKeys = await deriveLinkKeys(createLinkSecret(SUITE_PASSPHRASE));
    const right = (await linkKeys.unlock("right", cheapHash)).accessProof;
    assert.notDeepEqual((await linkKeys.unlock("wrong", cheapHash)).accessProof, right);
    assert.deepEqual((await linkKeys.unlock("right", cheapHash)).accessProof, right);
  });
});
