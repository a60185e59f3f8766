/** The worker's whole life: one secret in, its ciphertext out, piece by piece as it is asked for. */
import { argon2id } from "../envelope/argon2id.ts";
import type { Bytes } from "../envelope/bytes.ts";
import { UnsealableError } from "../envelope/errors.ts";
import { textPart } from "../envelope/parts.ts";
import { type CreateFields, prepareSecret } from "../envelope/sender.ts";
import { formatReceiptBearer } from "../envelope/tokens.ts";
import { filePart } from "./file-part.ts";

/** What the sender has entered. */
export interface Contents {
  readonly text: string;
  readonly files: readonly File[];
  /** Empty: none. */
  readonly passphrase: string;
}

/** What the sender's page has to know of a sealed secret. */
export interface SealedKeys {
  readonly fields: CreateFields;
  readonly linkFragment: string;
  readonly receiptFragment: string;
  readonly receiptBearer: string;
}

/** `next`: this many bytes of the ciphertext, which must be left. */
export type SealRequest =
  | { readonly kind: "prepare"; readonly contents: Contents }
  | { readonly kind: "next"; readonly length: number };
export type SealAnswer =
  | { readonly kind: "prepared"; readonly keys: SealedKeys }
  | { readonly kind: "bytes"; readonly bytes: Bytes }
  | { readonly kind: "failed"; readonly message: string };

let pieces: AsyncIterator<Bytes> | undefined;
let rest: Uint8Array = new Uint8Array(0);

async function prepare({ text, files, passphrase }: Contents): Promise<SealAnswer> {
  const parts = [...(text === "" ? [] : [textPart(text)]), ...files.map(filePart)];
  const prepared = await prepareSecret(parts, passphrase, async (...given) => argon2id(...given));
  pieces = prepared.sealing.pieces;
  const { fields, linkFragment, receiptFragment, receiptToken } = prepared;
  const receiptBearer = formatReceiptBearer(fields.id, receiptToken);
  return { kind: "prepared", keys: { fields, linkFragment, receiptFragment, receiptBearer } };
}

/** Nothing is read from a file and encrypted before somebody wants it: that keeps memory bounded. */
async function next(length: number): Promise<SealAnswer> {
  const bytes = new Uint8Array(length);
  for (let filled = 0; filled < length; ) {
    if (rest.length === 0) {
      const piece = await pieces?.next();
      if (!piece || piece.done) throw new RangeError("There is no more.");
      rest = piece.value;
    }
    const taken = rest.subarray(0, length - filled);
    bytes.set(taken, filled);
    filled += taken.length;
    rest = rest.subarray(taken.length);
  }
  return { kind: "bytes", bytes };
}

function failed(error: unknown): SealAnswer {
  const message =
    error instanceof UnsealableError ? error.message : "We couldn't encrypt it. Nothing was kept. Try again.";
  return { kind: "failed", message };
}

addEventListener("message", async ({ data }: MessageEvent<SealRequest>) => {
  const answer = await (data.kind === "prepare" ? prepare(data.contents) : next(data.length)).catch(failed);
  postMessage(answer, { transfer: answer.kind === "bytes" ? [answer.bytes.buffer] : [] });
});
