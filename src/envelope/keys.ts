import { type Bytes, concat, utf8, wipe } from "./bytes.ts";
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
import { SUITE_PASSPHRASE, type Suite } from "./suite.ts";
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

/** Argon2id over a passphrase's bytes, somewhere off the main thread. */
export type PassphraseHash = (passphrase: Bytes, salt: Bytes) => Promise<Bytes>;

/** What K alone gives: the secret's name and the proof of holding the link. */
export interface LinkKeys {
  readonly suite: Suite;
  readonly id: SecretId;
  readonly linkProof: LinkProof;
  /**
   * Mixes in the passphrase (required for suite 0x02, refused for 0x01). May be called again with
   * another passphrase until `wipe` is called.
   */
  unlock(passphrase: string | undefined, hash: PassphraseHash): Promise<AccessKeys>;
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

export async function deriveLinkKeys({ suite, key }: LinkSecret): Promise<LinkKeys> {
  const linkKey = await importKeyingMaterial(key);
  const rawId = await deriveBytes(linkKey, NO_SALT, label("id", suite), ID_BYTES);
  const id = formatId(rawId);
  const linkProof = (await deriveBytes(linkKey, NO_SALT, label("link", suite), PROOF_BYTES)) as LinkProof;

  async function unlockedKey(passphrase: string | undefined, hash: PassphraseHash): Promise<KeyHandle> {
    if (suite !== SUITE_PASSPHRASE) {
      if (passphrase !== undefined) throw new UnreadableError();
      return linkKey;
    }
    if (!passphrase) throw new UnreadableError();
    const salt = await deriveBytes(linkKey, NO_SALT, label("pass-salt", suite), 16);
    const passphraseBytes = utf8(passphrase.normalize("NFKC"));
    const stretched = await hash(passphraseBytes, salt);
    const joined = concat(key, stretched);
    try {
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
      wipe(key, linkProof);
    },
  };
}
