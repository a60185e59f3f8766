/**
 * waxseal/1 a second time, for tests only: written from PROTOCOL.md with node:crypto and hash-wasm,
 * sharing no line with the envelope, in one piece of memory, and willing to seal what the envelope
 * refuses to.
 */
import { createCipheriv, createHash, hkdfSync } from "node:crypto";
import { argon2id } from "hash-wasm";

export interface Recipe {
  readonly k: Buffer;
  readonly share: Buffer;
  readonly passphrase?: string | undefined;
}

export interface Derived {
  readonly suite: number;
  readonly share: Buffer;
  /** K ‖ PW. */
  readonly ikm: Buffer;
  readonly fragment: string;
  readonly id: Buffer;
  readonly linkProof: Buffer;
  readonly accessProof: Buffer;
  readonly linkHash: Buffer;
  readonly accessHash: Buffer;
}

const NONE = Buffer.alloc(0);

function hash(...pieces: readonly (string | Uint8Array)[]): Buffer {
  const sha = createHash("sha256");
  for (const piece of pieces) sha.update(piece);
  return sha.digest();
}

function hkdf(
  ikm: Buffer,
  salt: Buffer,
  suite: number,
  name: string,
  length: number,
  tail: Buffer = NONE,
): Buffer {
  const info = Buffer.concat([Buffer.from(`waxseal/1 ${name}\0`, "latin1"), Buffer.of(suite), tail]);
  return Buffer.from(hkdfSync("sha256", ikm, salt, info, length));
}

export async function derive({ k, share, passphrase }: Recipe): Promise<Derived> {
  const suite = passphrase === undefined ? 1 : 2;
  let stretched: Uint8Array = NONE;
  if (passphrase !== undefined) {
    stretched = await argon2id({
      password: Buffer.from(passphrase.normalize("NFKC"), "utf8"),
      salt: hkdf(k, NONE, suite, "pass-salt", 16),
      memorySize: 46 * 1024,
      iterations: 1,
      parallelism: 1,
      hashLength: 32,
      outputType: "binary",
    });
  }
  const ikm = Buffer.concat([k, stretched]);
  const start = Buffer.concat([Buffer.of(suite), k]);
  const id = hkdf(k, NONE, suite, "id", 16);
  const linkProof = hkdf(k, NONE, suite, "link", 32);
  const accessProof = hkdf(ikm, id, suite, "access", 32);
  return {
    suite,
    share,
    ikm,
    fragment: Buffer.concat([start, hash("waxseal/1 check", start).subarray(0, 3)]).toString("base64url"),
    id,
    linkProof,
    accessProof,
    linkHash: hash("waxseal/1 HL", linkProof),
    accessHash: hash("waxseal/1 HA", accessProof),
  };
}

/** HR, from R. */
export function receiptHash(receiptToken: Uint8Array): Buffer {
  return hash("waxseal/1 HR", receiptToken);
}

/** Padmé with whole numbers of any size, as in the paper's appendix. */
export function padme(contentLength: bigint): bigint {
  const length = contentLength < 1024n ? 1024n : contentLength;
  const exponent = length.toString(2).length - 1;
  const significant = exponent.toString(2).length;
  const mask = (1n << BigInt(exponent - significant)) - 1n;
  return (length + mask) & ~mask;
}

/** u32(length of meta) ‖ meta ‖ data ‖ zeros. `claimed`: a length of meta that isn't so. */
export function frame(meta: string | Uint8Array, data: Uint8Array, claimed?: number): Buffer {
  const metaBytes = Buffer.from(meta as Uint8Array);
  const lengthOfMeta = Buffer.alloc(4);
  lengthOfMeta.writeUInt32BE(claimed ?? metaBytes.length);
  const content = Buffer.concat([lengthOfMeta, metaBytes, data]);
  return Buffer.concat([content], Number(padme(BigInt(content.length))));
}

/** Seals any plaintext whatever; `length` is what the header says of it. */
export function sealPlaintext(
  { suite, share, ikm, id }: Derived,
  plaintext: Uint8Array,
  length = plaintext.length,
) {
  const header = Buffer.alloc(32);
  header.write("WXS1", "latin1");
  header.writeUInt8(suite, 4);
  header.writeUInt8(16, 5);
  id.copy(header, 8);
  header.writeBigUInt64BE(BigInt(length), 24);
  const key = hkdf(ikm, share, suite, "content", 32, hash(header));
  const pieces = [header, hkdf(ikm, share, suite, "commit", 32, hash(header))];
  for (let index = 0, at = 0; at < plaintext.length; index++, at += 65_536) {
    const nonce = Buffer.alloc(12);
    nonce.writeUInt32BE(index, 7);
    nonce.writeUInt8(at + 65_536 >= plaintext.length ? 1 : 0, 11);
    const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(header);
    pieces.push(cipher.update(plaintext.subarray(at, at + 65_536)), cipher.final(), cipher.getAuthTag());
  }
  return Buffer.concat(pieces);
}
