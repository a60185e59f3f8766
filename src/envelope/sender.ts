import { encodeBase64url } from "./base64url.ts";
import { isWellFormed, wipe } from "./bytes.ts";
import { UnsealableError } from "./errors.ts";
import { deriveLinkKeys, type PassphraseHash } from "./keys.ts";
import { createLinkSecret, formatFragment } from "./link.ts";
import type { Part } from "./parts.ts";
import { type Sealing, sealParts } from "./seal.ts";
import { SUITE_PASSPHRASE, SUITE_PLAIN } from "./suite.ts";
import {
  type AccessProof,
  createReceiptToken,
  createShare,
  type Digest,
  formatReceiptFragment,
  hashAccessProof,
  hashLinkProof,
  hashReceiptToken,
  type ReceiptToken,
  type SecretId,
  type Share,
} from "./tokens.ts";

/** The body of `POST /api/v1/secrets`; `blob`, `ttl` and what else the caller decides come on top. */
export interface CreateFields {
  readonly id: SecretId;
  readonly linkHash: string;
  readonly accessHash: string;
  readonly share: string;
  readonly receiptHash: string;
  readonly passphrase: boolean;
  /** The blob's length in bytes. */
  readonly size: number;
}

/** The same as bytes, for whoever stores it without HTTP between. */
export interface SecretIdentity {
  readonly id: SecretId;
  readonly linkHash: Digest;
  readonly accessHash: Digest;
  readonly receiptHash: Digest;
  readonly share: Share;
  readonly passphrase: boolean;
}

export interface PreparedSecret {
  readonly identity: SecretIdentity;
  readonly fields: CreateFields;
  readonly sealing: Sealing;
  /** What follows `/s#`. Never sent. */
  readonly linkFragment: string;
  /** What follows `/r#`. */
  readonly receiptFragment: string;
  readonly receiptToken: ReceiptToken;
}

/**
 * Everything a sender makes before the first request. An empty passphrase means none. Throws
 * `UnsealableError` for what can't be sealed. K is wiped before it returns: only the link holds it.
 */
export async function prepareSecret(
  parts: readonly Part[],
  passphrase: string,
  hash: PassphraseHash,
): Promise<PreparedSecret> {
  if (!isWellFormed(passphrase)) {
    throw new UnsealableError("The passphrase holds half a character. Type it again.");
  }
  const suite = passphrase === "" ? SUITE_PLAIN : SUITE_PASSPHRASE;
  const link = createLinkSecret(suite);
  const linkKeys = await deriveLinkKeys(link);
  let accessProof: AccessProof | undefined;
  try {
    const accessKeys = await linkKeys.unlock(passphrase === "" ? undefined : passphrase, hash);
    accessProof = accessKeys.accessProof;
    const share = createShare();
    const receiptToken = createReceiptToken();
    const sealing = sealParts(accessKeys, share, parts);
    const [linkFragment, linkHash, accessHash, receiptHash] = await Promise.all([
      formatFragment(link),
      hashLinkProof(linkKeys.linkProof),
      hashAccessProof(accessProof),
      hashReceiptToken(receiptToken),
    ]);
    const identity = {
      id: linkKeys.id,
      linkHash,
      accessHash,
      receiptHash,
      share,
      passphrase: passphrase !== "",
    };
    return {
      identity,
      fields: {
        ...identity,
        linkHash: encodeBase64url(linkHash),
        accessHash: encodeBase64url(accessHash),
        share: encodeBase64url(share),
        receiptHash: encodeBase64url(receiptHash),
        size: sealing.length,
      },
      sealing,
      linkFragment,
      receiptFragment: formatReceiptFragment(linkKeys.id, receiptToken),
      receiptToken,
    };
  } finally {
    linkKeys.wipe();
    wipe(accessProof);
  }
}
