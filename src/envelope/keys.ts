import { type Bytes, concat, isWellFormed, utf8, wipe } from "./bytes.ts";
import { UnreadableError } from "./errors.ts";
import {
  deriveBytes,
  deriveContentKey,
  importKeyingMaterial,
  type KeyHandle,
  label,
  sha256,
} from "./hkdf.ts";
import type { LinkSecret } from "./link.ts";
import { ARGON2ID, SUITE_PASSPHRASE, type Suite } from "./suite.ts";
import {
  type AccessProof,
  formatId,
  ID_BYTES,
  type LinkProof,
  PROOF_BYTES,
  type SecretId,
  type Share,
} from "./tokens.ts";

const NO_SALT: Bytes = new Uint8Array(0);

/**
 * Argon2id over a passphrase's bytes, somewhere off the main thread: 32 bytes. It may transfer its
 * arguments; those that it leaves behind, and its result, are wiped when they have been used.
 */
export type PassphraseHash = (passphrase: Bytes, salt: Bytes) => Promise<Bytes>;

/** What K alone gives: the secret's name and the proof of holding the link. */
export interface LinkKeys {
  readonly suite: Suite;
  readonly id: SecretId;
  readonly linkProof: LinkProof;
  /**
   * Mixes in the passphrase (required for suite 0x02, refused for 0x01: `UnreadableError`). May be
   * called again with another passphrase until `wipe` is called; from then on it throws.
   */
  unlock(passphrase: string | undefined, hash: PassphraseHash): Promise<AccessKeys>;
  /** Overwrites K (the very bytes that were passed in) and L. */
  wipe(): void;
}

/** What K and the passphrase give together. */
export interface AccessKeys {
  readonly suite: Suite;
  readonly id: SecretId;
  readonly accessProof: AccessProof;
  /** The content key and its commitment, once the share is known. */
  contentKeys(share: Share, header: Bytes): Promise<ContentKeys>;
}

export interface ContentKeys {
  readonly key: KeyHandle;
  /** CMT, 32 bytes: pins the key, which AES-GCM alone doesn't (Len et al., "Partitioning oracles", 2021). */
  readonly commitment: Bytes;
}

/** NFKC, which leaves ASCII as it is, but not without a copy in the engine's memory that nobody overwrites. */
function normalized(passphrase: string): string {
  return /^[ -~]*$/.test(passphrase) ? passphrase : passphrase.normalize("NFKC");
}

export async function deriveLinkKeys({ suite, key }: LinkSecret): Promise<LinkKeys> {
  const linkKey = await importKeyingMaterial(key);
  const rawId = await deriveBytes(linkKey, NO_SALT, label("id", suite), ID_BYTES);
  const id = formatId(rawId);
  const linkProof = (await deriveBytes(linkKey, NO_SALT, label("link", suite), PROOF_BYTES)) as LinkProof;

  let wiped = false;
  // Zeros in K's place would make keys that the passphrase alone protects; also where the wipe comes
  // while Argon2id is still at work.
  const assertUsable = () => {
    if (wiped) throw new Error("The link's key was wiped. Read the link again.");
  };

  async function unlockedKey(passphrase: string | undefined, hash: PassphraseHash): Promise<KeyHandle> {
    assertUsable();
    if (suite !== SUITE_PASSPHRASE) {
      if (passphrase !== undefined) throw new UnreadableError();
      return linkKey;
    }
    if (!passphrase || !isWellFormed(passphrase)) throw new UnreadableError(); // nobody can have sealed with it
    const salt = await deriveBytes(linkKey, NO_SALT, label("pass-salt", suite), 16);
    const passphraseBytes = utf8(normalized(passphrase));
    let stretched: Bytes | undefined;
    let joined: Bytes | undefined;
    try {
      stretched = await hash(passphraseBytes, salt);
      assertUsable();
      if (stretched.length !== ARGON2ID.length) {
        throw new RangeError(`Argon2id gives ${ARGON2ID.length} bytes, not ${stretched.length}.`);
      }
      joined = concat(key, stretched);
      return await importKeyingMaterial(joined);
    } finally {
      wipe(passphraseBytes, stretched, joined);
    }
  }

  return {
    suite,
    id,
    linkProof,
    async unlock(passphrase, hash) {
      const unlocked = await unlockedKey(passphrase, hash);
      const proof = await deriveBytes(unlocked, rawId, label("access", suite), PROOF_BYTES);
      return {
        suite,
        id,
        accessProof: proof as AccessProof,
        async contentKeys(share, header) {
          const headerHash = await sha256(header);
          const [contentKey, commitment] = await Promise.all([
            deriveContentKey(unlocked, share, label("content", suite, headerHash)),
            deriveBytes(unlocked, share, label("commit", suite, headerHash), 32),
          ]);
          return { key: contentKey, commitment };
        },
      };
    },
    wipe() {
      wiped = true;
      wipe(key, linkProof);
    },
  };
}
