import { encodeBase64url } from "../envelope/base64url.ts";
import { deriveLinkKeys, type PassphraseHash } from "../envelope/keys.ts";
import { parseFragment } from "../envelope/link.ts";
import { type Part, textPart } from "../envelope/parts.ts";
import { gather } from "../envelope/seal.ts";
import { type CreateFields, prepareSecret } from "../envelope/sender.ts";
import { cheapHash } from "../envelope/testing.ts";
import { createClaim, formatLinkBearer, formatReceiptBearer } from "../envelope/tokens.ts";

/** A real secret, sealed by the code that a page's script runs, with all that the two sides know of it. */
export interface SealedSecret {
  readonly text: string;
  readonly passphrase: string;
  /** The body of `POST /api/v1/secrets`. */
  readonly body: CreateFields & { readonly ttl: number; readonly rules?: object; readonly blob: string };
  readonly blob: Uint8Array;
  /** `wsl_…` */
  readonly link: string;
  /** `wsr_…` */
  readonly receipt: string;
  /** A, as it is sent. */
  readonly access: string;
  /** An A that a wrong passphrase might have given. */
  readonly wrongAccess: string;
  readonly linkFragment: string;
  readonly receiptFragment: string;
}

export interface SealOptions {
  readonly text?: string;
  /** Instead of the text. */
  readonly parts?: readonly Part[];
  /** Empty: none. */
  readonly passphrase?: string;
  /** Seconds. */
  readonly ttl?: number;
  /** Who may open it, as they are sent. */
  readonly rules?: object;
  /** By default one that costs nothing, which a page's script would not agree with. */
  readonly hash?: PassphraseHash;
}

export async function sealSecret(options: SealOptions = {}): Promise<SealedSecret> {
  const { text = "correct horse battery staple", passphrase = "", ttl = 3600, hash = cheapHash } = options;
  const { fields, sealing, linkFragment, receiptFragment, receiptToken } = await prepareSecret(
    options.parts ?? [textPart(text)],
    passphrase,
    hash,
  );
  const blob = await gather(sealing);
  const keys = await deriveLinkKeys(await parseFragment(linkFragment));
  const { accessProof } = await keys.unlock(passphrase === "" ? undefined : passphrase, hash);
  return {
    text,
    passphrase,
    body: {
      ...fields,
      ttl,
      ...(options.rules ? { rules: options.rules } : {}),
      blob: encodeBase64url(blob),
    },
    blob,
    link: formatLinkBearer(keys.id, keys.linkProof),
    receipt: formatReceiptBearer(keys.id, receiptToken),
    access: encodeBase64url(accessProof),
    wrongAccess: encodeBase64url(accessProof.map((byte) => byte ^ 1)),
    linkFragment,
    receiptFragment,
  };
}

/** A claim token as it is sent. */
export function newClaim(): string {
  return encodeBase64url(createClaim());
}
