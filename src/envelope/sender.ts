import { encodeBase64url } from "./base64url.ts";
import { wipe } from "./bytes.ts";
import { deriveLinkKeys, type PassphraseHash } from "./keys.ts";
import { createLinkSecret, formatFragment } from "./link.ts";
import type { Part } from "./parts.ts";
import { type Sealing, sealParts } from "./seal.ts";
import { SUITE_PASSPHRASE, SUITE_PLAIN } from "./suite.ts";
import {
  createReceiptToken,
  createShare,
  formatReceiptFragment,
  hashAccessProof,
  hashLinkProof,
  hashReceiptToken,
  type ReceiptToken,
  type SecretId,
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

export interface PreparedSecret {
  readonly fields: CreateFields;
  readonly sealing: Sealing;
  /** What follows `/s#`. Never sent. */
  readonly linkFragment: string;
  /** What follows `/r#`. */
  readonly receiptFragment: string;
  readonly receiptToken: ReceiptToken;
}

/**
 * Everything a sender makes before the first request. An empty passphrase means none.
 */
export async function prepareSecret(
  parts: readonly Part[],
  passphrase: string,
  hash: PassphraseHash,
): Promise<PreparedSecret> {
  const suite = passphrase === "" ? SUITE_PLAIN : SUITE_PASSPHRASE;
  const link = createLinkSecret(suite);
  const linkFragment = await formatFragment(link);
  const linkKeys = await deriveLinkKeys(link);
  const accessKeys = await linkKeys.unlock(passphrase === "" ? undefined : passphrase, hash);
  const share = createShare();
  const receiptToken = createReceiptToken();
  const sealing = sealParts(accessKeys, share, parts);
  const [linkHash, accessHash, receiptHash] = await Promise.all([
    hashLinkProof(linkKeys.linkProof),
    hashAccessProof(accessKeys.accessProof),
    hashReceiptToken(receiptToken),
  ]);
  linkKeys.wipe();
  wipe(accessKeys.accessProof);
  return {
    fields: {
      id: linkKeys.id,
      linkHash: encodeBase64url(linkHash),
      accessHash: encodeBase64url(accessHash),
      share: encodeBase64url(share),
      receiptHash: encodeBase64url(receiptHash),
      passphrase: passphrase !== "",
      size: sealing.length,
    },
    sealing,
    linkFragment,
    receiptFragment: formatReceiptFragment(linkKeys.id, receiptToken),
    receiptToken,
  };
}
