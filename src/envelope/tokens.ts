/**
 * Branded values and the texts they travel in. This is the only place that casts into the brands.
 */
import { decodeBase64url, encodeBase64url } from "./base64url.ts";
import { type Bytes, concat, copyOf, randomBytes, utf8, wipe } from "./bytes.ts";
import { sha256 } from "./hkdf.ts";

declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** 16 bytes as 22 characters of base64url. Public: it names a secret and opens nothing. */
export type SecretId = Branded<string, "SecretId">;
/** L, 32 bytes: shows that somebody holds the whole link. */
export type LinkProof = Branded<Bytes, "LinkProof">;
/** A, 32 bytes: shows that somebody holds the whole link and the passphrase. */
export type AccessProof = Branded<Bytes, "AccessProof">;
/** R, 32 bytes: the sender's receipt. */
export type ReceiptToken = Branded<Bytes, "ReceiptToken">;
/** SHA-256 of one of the three above: what a server keeps. */
export type Digest = Branded<Bytes, "Digest">;
/** S, 32 bytes: handed over once. Without it the ciphertext can't be read. */
export type Share = Branded<Bytes, "Share">;
/** T, 16 random bytes made by an opener before its first request. */
export type ClaimToken = Branded<Bytes, "ClaimToken">;
/** A sealed blob, as the server sees it. */
export type Ciphertext = Branded<Bytes, "Ciphertext">;
/** A whole number of seconds, from `MIN_TTL` to the operator's maximum. */
export type TtlSeconds = Branded<number, "TtlSeconds">;

export const ID_BYTES = 16;
export const PROOF_BYTES = 32;
export const CLAIM_BYTES = 16;
/** Seconds. */
export const MIN_TTL = 60;

function parseExact(text: unknown, length: number): Bytes | undefined {
  if (typeof text !== "string" || text.length !== Math.ceil((length * 4) / 3)) return undefined;
  return decodeBase64url(text);
}

export function formatId(bytes: Bytes): SecretId {
  if (bytes.length !== ID_BYTES) throw new RangeError(`An id has ${ID_BYTES} bytes, not ${bytes.length}.`);
  return encodeBase64url(bytes) as SecretId;
}

export function parseId(text: unknown): SecretId | undefined {
  return parseExact(text, ID_BYTES) && (text as SecretId);
}

export function idBytes(id: SecretId): Bytes {
  const bytes = decodeBase64url(id);
  if (!bytes) throw new TypeError("An id is canonical base64url.");
  return bytes;
}

export const parseDigest = (text: unknown) => parseExact(text, PROOF_BYTES) as Digest | undefined;
export const parseAccessProof = (text: unknown) => parseExact(text, PROOF_BYTES) as AccessProof | undefined;
export const parseShare = (text: unknown) => parseExact(text, PROOF_BYTES) as Share | undefined;
export const parseClaim = (text: unknown) => parseExact(text, CLAIM_BYTES) as ClaimToken | undefined;

/** For what was decoded where it stood, because no string may be made of it. The same memory. */
const bytesExact = (value: unknown, length: number) =>
  value instanceof Uint8Array && value.length === length ? value : undefined;
export const accessProofOf = (value: unknown) => bytesExact(value, PROOF_BYTES) as AccessProof | undefined;
export const shareOf = (value: unknown) => bytesExact(value, PROOF_BYTES) as Share | undefined;
export const claimOf = (value: unknown) => bytesExact(value, CLAIM_BYTES) as ClaimToken | undefined;

/** What a store read back: bytes that were parsed once already, when they came in. */
export const storedShare = (bytes: Bytes) => bytes as Share;
export const storedCiphertext = (bytes: Bytes) => bytes as Ciphertext;
export const storedDigest = (bytes: Bytes) => bytes as Digest;

export function parseCiphertext(text: unknown): Ciphertext | undefined {
  return typeof text === "string" ? (decodeBase64url(text) as Ciphertext | undefined) : undefined;
}

/** Undefined for zero, negative, fractional, absent, textual or too large a number. */
export function parseTtl(value: unknown, maxSeconds: number): TtlSeconds | undefined {
  if (typeof value !== "number" || !Number.isInteger(value)) return undefined;
  return value >= MIN_TTL && value <= maxSeconds ? (value as TtlSeconds) : undefined;
}

export const createClaim = () => randomBytes(CLAIM_BYTES) as ClaimToken;
export const createReceiptToken = () => randomBytes(PROOF_BYTES) as ReceiptToken;
export const createShare = () => randomBytes(PROOF_BYTES) as Share;

export async function hashLinkProof(proof: LinkProof): Promise<Digest> {
  return (await sha256(utf8("waxseal/1 HL"), proof)) as Digest;
}
export async function hashAccessProof(proof: AccessProof): Promise<Digest> {
  return (await sha256(utf8("waxseal/1 HA"), proof)) as Digest;
}
export async function hashReceiptToken(token: ReceiptToken): Promise<Digest> {
  return (await sha256(utf8("waxseal/1 HR"), token)) as Digest;
}

interface Bearer<Proof> {
  readonly id: SecretId;
  readonly proof: Proof;
}

function parseBearer<Proof extends Bytes>(text: string, prefix: string): Bearer<Proof> | undefined {
  if (!text.startsWith(prefix)) return undefined;
  const bytes = parseExact(text.slice(prefix.length), ID_BYTES + PROOF_BYTES);
  if (!bytes) return undefined;
  const id = formatId(bytes.slice(0, ID_BYTES));
  const proof = copyOf(bytes.subarray(ID_BYTES)) as Proof;
  wipe(bytes);
  return { id, proof };
}

/** `wsl_<base64url(id ‖ L)>`: what a link's holder sends as `Authorization: Bearer`. */
export function formatLinkBearer(id: SecretId, proof: LinkProof): string {
  return `wsl_${encodeBase64url(concat(idBytes(id), proof))}`;
}
export const parseLinkBearer = (text: string) => parseBearer<LinkProof>(text, "wsl_");

/** `wsr_<base64url(id ‖ R)>`: what a receipt's holder sends. */
export function formatReceiptBearer(id: SecretId, token: ReceiptToken): string {
  return `wsr_${formatReceiptFragment(id, token)}`;
}
export const parseReceiptBearer = (text: string) => parseBearer<ReceiptToken>(text, "wsr_");

/** `base64url(id ‖ R)`: what stands after `/r#`. */
export function formatReceiptFragment(id: SecretId, token: ReceiptToken): string {
  return encodeBase64url(concat(idBytes(id), token));
}
export const parseReceiptFragment = (text: string) => parseBearer<ReceiptToken>(text, "");
