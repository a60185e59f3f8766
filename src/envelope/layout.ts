/** Where each byte of a sealed blob stands. All lengths are in bytes. */
import { type Bytes, equalBytes, utf8 } from "./bytes.ts";
import type { Suite } from "./suite.ts";
import { ID_BYTES, idBytes, type SecretId } from "./tokens.ts";

export const HEADER_BYTES = 32;
export const COMMITMENT_BYTES = 32;
export const PREFIX_BYTES = HEADER_BYTES + COMMITMENT_BYTES;
const CHUNK_LOG2 = 0x10;
/** Plaintext bytes in a chunk. */
export const CHUNK_BYTES = 1 << CHUNK_LOG2;
export const TAG_BYTES = 16;
const MIN_PLAINTEXT = 1024;
/** Room for the description of the parts that a limit on their own bytes doesn't count. */
const META_ALLOWANCE = 4096;
/** For each file: a name of 255 bytes, its type and size, with what JSON makes of unusual characters. */
const META_PER_FILE = 1024;

const MAGIC = utf8("WXS1");

/**
 * Padmé (Nikitin et al., PETS 2019): the length is rounded so that it tells O(log log n) bits about
 * the content at a cost of at most 12 %. Shorter contents all look like 1,024 bytes.
 */
export function paddedLength(contentLength: number): number {
  const length = Math.max(MIN_PLAINTEXT, contentLength);
  const exponent = floorLog2(length);
  const step = 2 ** (exponent - (floorLog2(exponent) + 1));
  return Math.ceil(length / step) * step;
}

/** By doubling, which is exact; Math.log2 is an approximation, another one in each engine. */
function floorLog2(value: number): number {
  let exponent = 0;
  for (let power = 2; power <= value; power *= 2) exponent += 1;
  return exponent;
}

/** The length of a sealed blob that holds `plaintextLength` bytes, padding included. */
export function blobLength(plaintextLength: number): number {
  return PREFIX_BYTES + plaintextLength + TAG_BYTES * chunkCount(plaintextLength);
}

/** The longest blob that may arise from parts of `maxSecretBytes` together, `maxFiles` of them files. */
export function maxBlobLength(maxSecretBytes: number, maxFiles = 0): number {
  return blobLength(paddedLength(META_ALLOWANCE + maxFiles * META_PER_FILE + maxSecretBytes));
}

/** Whether there are blobs of this length. */
export function isBlobLength(length: number): boolean {
  const chunks = Math.ceil((length - PREFIX_BYTES) / (CHUNK_BYTES + TAG_BYTES));
  const plaintextLength = length - PREFIX_BYTES - chunks * TAG_BYTES;
  if (plaintextLength < MIN_PLAINTEXT || blobLength(plaintextLength) !== length) return false;
  return paddedLength(plaintextLength) === plaintextLength;
}

export function chunkCount(plaintextLength: number): number {
  return Math.ceil(plaintextLength / CHUNK_BYTES);
}

export function encodeHeader(suite: Suite, id: SecretId, plaintextLength: number): Bytes {
  const header = new Uint8Array(HEADER_BYTES);
  header.set(MAGIC);
  header.set([suite, CHUNK_LOG2], 4);
  header.set(idBytes(id), 8);
  new DataView(header.buffer).setBigUint64(8 + ID_BYTES, BigInt(plaintextLength));
  return header;
}

/**
 * The length of the plaintext, or undefined where the header isn't, byte for byte, the one that
 * this link's sender would have written.
 */
export function decodeHeader(header: Uint8Array, suite: Suite, id: SecretId): number | undefined {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const length = Number(view.getBigUint64(8 + ID_BYTES));
  if (!Number.isSafeInteger(length) || paddedLength(length) !== length) return undefined;
  return equalBytes(header, encodeHeader(suite, id, length)) ? length : undefined;
}

/**
 * Whether a download of `length` bytes that begins with `start` has the form of this link's whole
 * blob. All that can be told without the share: worth asking before the share is used up for it.
 */
export function isWholeBlob(start: Uint8Array, length: number, suite: Suite, id: SecretId): boolean {
  if (start.length < HEADER_BYTES) return false;
  const plaintextLength = decodeHeader(start.subarray(0, HEADER_BYTES), suite, id);
  return plaintextLength !== undefined && blobLength(plaintextLength) === length;
}

/** u88(index) ‖ (last ? 1 : 0): STREAM's nonce (Hoang et al. 2015) in age's layout. */
export function chunkNonce(index: number, last: boolean): Bytes {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setBigUint64(3, BigInt(index));
  nonce[11] = last ? 1 : 0;
  return nonce;
}
