/**
 * What every platform's primitives and this envelope on top of them must reproduce. For tests, and
 * free of any platform itself: Node runs these checks directly, Chromium runs them from a bundle.
 * A check that fails throws an error that names the vector.
 */
import { argon2id } from "./argon2id.ts";
import { decodeBase64url, encodeBase64url } from "./base64url.ts";
import { type Bytes, concat, equalBytes } from "./bytes.ts";
import { UnreadableError } from "./errors.ts";
import { deriveBytes, importKeyingMaterial, sha256 } from "./hkdf.ts";
import { deriveLinkKeys } from "./keys.ts";
import { formatFragment, parseFragment } from "./link.ts";
import type { Part } from "./parts.ts";
import { gather, sealParts } from "./seal.ts";
import { hashAccessProof, hashLinkProof, parseShare } from "./tokens.ts";
import { unseal } from "./unseal.ts";

export interface VectorPart {
  readonly kind: string;
  /** `#` stands for the number of the repetition. */
  readonly name?: string;
  readonly type?: string;
  /** The content in base64url; without it, the content is `patternBytes(pattern)`. */
  readonly data?: string;
  readonly pattern?: number;
  /** Of the content, in hex. */
  readonly sha256?: string;
  /** How many such parts follow each other. */
  readonly repeat?: number;
}

export interface EnvelopeVector {
  readonly name: string;
  readonly k: string;
  readonly share: string;
  readonly passphrase?: string;
  readonly parts: readonly VectorPart[];
  readonly fragment: string;
  readonly id: string;
  readonly linkProof: string;
  readonly accessProof: string;
  readonly linkHash: string;
  readonly accessHash: string;
  readonly blobLength: number;
  readonly blobSha256: string;
  /** Given where it is short. */
  readonly blob?: string;
}

/** Byte i is (7·i + ⌊i/256⌋) mod 256. */
export function patternBytes(length: number): Bytes {
  return Uint8Array.from({ length }, (_, i) => (7 * i + Math.floor(i / 256)) & 0xff);
}

export function fromHex(hex: string): Bytes {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

const toHex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

function decode(text: string): Bytes {
  const bytes = decodeBase64url(text);
  if (!bytes) throw new Error(`Not base64url: ${text}`);
  return bytes;
}

/** The parts that a vector describes, each with its content. */
export function expandParts(parts: readonly VectorPart[]): (Part & { readonly content: Bytes })[] {
  return parts.flatMap(({ kind, name, type, data, pattern = 150_000, repeat = 1 }) => {
    if (kind !== "text" && kind !== "file") throw new Error(`No such kind of part: ${kind}`);
    const content = data === undefined ? patternBytes(pattern) : decode(data);
    return Array.from({ length: repeat }, (_, i) => ({
      kind,
      ...(name === undefined ? {} : { name: repeat > 1 ? name.replace("#", String(i)) : name }),
      ...(type === undefined ? {} : { type }),
      size: content.length,
      content,
    }));
  });
}

/** Derives, seals and opens one vector; every field must come out as it stands there. */
export async function checkEnvelopeVector(vector: EnvelopeVector): Promise<void> {
  const expectSame = (what: string, actual: string | number, expected: string | number) => {
    if (actual !== expected) throw new Error(`${vector.name}: ${what} is ${actual}, not ${expected}`);
  };
  const link = await parseFragment(vector.fragment);
  expectSame("k", encodeBase64url(link.key), vector.k);
  expectSame("fragment", await formatFragment(link), vector.fragment);
  const linkKeys = await deriveLinkKeys(link);
  const accessKeys = await linkKeys.unlock(vector.passphrase, async (...input) => argon2id(...input));
  expectSame("id", linkKeys.id, vector.id);
  expectSame("linkProof", encodeBase64url(linkKeys.linkProof), vector.linkProof);
  expectSame("accessProof", encodeBase64url(accessKeys.accessProof), vector.accessProof);
  expectSame("linkHash", encodeBase64url(await hashLinkProof(linkKeys.linkProof)), vector.linkHash);
  expectSame("accessHash", encodeBase64url(await hashAccessProof(accessKeys.accessProof)), vector.accessHash);

  const share = parseShare(vector.share);
  if (!share) throw new Error(`${vector.name}: the share isn't one`);
  const parts = expandParts(vector.parts);
  const sealing = sealParts(accessKeys, share, parts);
  expectSame("announced length", sealing.length, vector.blobLength);
  const blob = await gather(sealing);
  expectSame("blobLength", blob.length, vector.blobLength);
  expectSame("blobSha256", toHex(await sha256(blob)), vector.blobSha256);
  if (vector.blob !== undefined) expectSame("blob", encodeBase64url(blob), vector.blob);

  const contents: Bytes[][] = parts.map(() => []);
  for await (const piece of unseal(accessKeys, share, new Blob([blob]).stream())) {
    if (piece.kind === "data") contents[piece.part]?.push(piece.bytes);
    else {
      const described = parts.map(({ content: _, ...description }) => description);
      expectSame("list of parts", JSON.stringify(piece.parts), JSON.stringify(described));
    }
  }
  for (const [i, { content }] of parts.entries()) {
    if (!equalBytes(concat(...(contents[i] ?? [])), content)) {
      throw new Error(`${vector.name}: part ${i} comes out different`);
    }
  }
}

/** Opens a vector's blob with one bit of each byte flipped, and resolves to how many were refused. */
export async function countRefusedFlips(vector: EnvelopeVector): Promise<number> {
  const linkKeys = await deriveLinkKeys(await parseFragment(vector.fragment));
  const keys = await linkKeys.unlock(undefined, () => Promise.reject(new Error("No passphrase here.")));
  const share = parseShare(vector.share);
  const blob = decode(vector.blob ?? "");
  if (!share) throw new Error(`${vector.name}: the share isn't one`);
  let refused = 0;
  for (let at = 0; at < blob.length; at++) {
    const flipped = blob.slice();
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
    try {
      for await (const _ of unseal(keys, share, new Blob([flipped]).stream()));
    } catch (error) {
      if (error instanceof UnreadableError) refused += 1;
    }
  }
  return refused;
}

interface WycheproofTest {
  readonly tcId: number;
  readonly comment: string;
  readonly result: string;
}
export interface AesGcmTest extends WycheproofTest {
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly msg: string;
  readonly ct: string;
  readonly tag: string;
}
export interface HkdfTest extends WycheproofTest {
  readonly ikm: string;
  readonly salt: string;
  readonly info: string;
  readonly size: number;
  readonly okm: string;
}

/** The platform's AES-256-GCM: encrypts to the vector's bytes, decrypts them, refuses the invalid ones. */
export async function checkAesGcm(test: AesGcmTest): Promise<void> {
  const failed = (what: string) => new Error(`AES-GCM ${test.tcId} (${test.comment}): ${what}`);
  const key = await crypto.subtle.importKey("raw", fromHex(test.key), "AES-GCM", false, [
    "encrypt",
    "decrypt",
  ]);
  const params = { name: "AES-GCM", iv: fromHex(test.iv), additionalData: fromHex(test.aad) };
  const sealed = fromHex(test.ct + test.tag);
  if (test.result === "valid") {
    const encrypted = toHex(new Uint8Array(await crypto.subtle.encrypt(params, key, fromHex(test.msg))));
    if (encrypted !== test.ct + test.tag) throw failed("encrypts to other bytes");
  }
  const opened = await crypto.subtle.decrypt(params, key, sealed).then(
    (bytes) => toHex(new Uint8Array(bytes)),
    () => undefined,
  );
  if (opened !== (test.result === "valid" ? test.msg : undefined)) throw failed("decrypts wrongly");
}

/** `deriveBytes` with the vector's input; an impossible length must be refused. */
export async function checkHkdf(test: HkdfTest): Promise<void> {
  const key = await importKeyingMaterial(fromHex(test.ikm));
  const derived = await deriveBytes(key, fromHex(test.salt), fromHex(test.info), test.size).then(
    (bytes) => toHex(bytes),
    () => undefined,
  );
  if (derived !== (test.result === "valid" ? test.okm : undefined)) {
    throw new Error(`HKDF ${test.tcId} (${test.comment}): derives ${derived}`);
  }
}
