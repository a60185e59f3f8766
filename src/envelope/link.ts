import { decodeBase64url, encodeBase64url } from "./base64url.ts";
import { type Bytes, concat, copyOf, equalBytes, randomBytes, utf8, wipe } from "./bytes.ts";
import { IncompleteLinkError } from "./errors.ts";
import { sha256 } from "./hkdf.ts";
import { isSuite, type Suite } from "./suite.ts";

export const LINK_KEY_BYTES = 32;
/** suite ‖ K ‖ 3 check bytes, as base64url. */
export const FRAGMENT_LENGTH = 48;

/** What a link carries after its `#`: the suite and K. */
export interface LinkSecret {
  readonly suite: Suite;
  /** K, 32 random bytes. */
  readonly key: Bytes;
}

export function createLinkSecret(suite: Suite): LinkSecret {
  return { suite, key: randomBytes(LINK_KEY_BYTES) };
}

async function checkBytes(suiteAndKey: Bytes): Promise<Bytes> {
  return (await sha256(utf8("waxseal/1 check"), suiteAndKey)).slice(0, 3);
}

export async function formatFragment({ suite, key }: LinkSecret): Promise<string> {
  const suiteAndKey = concat(Uint8Array.of(suite), key);
  const whole = concat(suiteAndKey, await checkBytes(suiteAndKey));
  try {
    return encodeBase64url(whole);
  } finally {
    wipe(suiteAndKey, whole);
  }
}

/**
 * Reads what stands after a link's `#` (without the `#`). A fragment that was cut, retyped or
 * re-encoded on its way throws `IncompleteLinkError`; nothing has been asked of the server by then.
 */
export async function parseFragment(fragment: string): Promise<LinkSecret> {
  const bytes = fragment.length === FRAGMENT_LENGTH ? decodeBase64url(fragment) : undefined;
  if (!bytes) throw new IncompleteLinkError();
  const suiteAndKey = bytes.subarray(0, 1 + LINK_KEY_BYTES);
  const suite = suiteAndKey[0];
  const check = bytes.subarray(1 + LINK_KEY_BYTES);
  try {
    if (!isSuite(suite) || !equalBytes(check, await checkBytes(suiteAndKey))) throw new IncompleteLinkError();
    return { suite, key: copyOf(suiteAndKey.subarray(1)) };
  } finally {
    wipe(bytes);
  }
}
