import { UnsealableError } from "../envelope/errors.ts";
import { textPart } from "../envelope/parts.ts";
import { gather, sealedLength } from "../envelope/seal.ts";
import { prepareSecret } from "../envelope/sender.ts";
import { formatReceiptBearer } from "../envelope/tokens.ts";
import { createSecret, deleteSecret, mayPass, readReceipt, type Terms, writePart } from "./api.ts";
import { cancellable, guarded } from "./cancellable.ts";
import { filePart } from "./file-part.ts";
import { hashPassphrase } from "./hash-passphrase.ts";
import type { Progress } from "./progress.ts";
import type { Contents, SealedKeys } from "./seal-worker.ts";
import { startWorker, WorkerLoadError } from "./start-worker.ts";

/** What one press of the button made. A retry sends the very same bytes, so it can't create twice. */
export interface Attempt {
  /**
   * What is too long for one request shows its own screen while it is under way, unless `way` says where
   * to tell how far it is, and when to give up.
   */
  send(way?: Way): Promise<SentSecret>;
  /** It won't be sent again. */
  discard(): void;
}

export type SentSecret = SealedKeys & { readonly expiresAt: string };

interface Way {
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Bytes of a blob that the server takes in one request with all the rest. */
const MAX_INLINE = 65_536;

export async function beginAttempt(contents: Contents, terms: Terms): Promise<Attempt> {
  const { text, files, passphrase } = contents;
  const parts = [...(text === "" ? [] : [textPart(text)]), ...files.map(filePart)];
  if (sealedLength(parts) > MAX_INLINE) return beginUpload(contents, terms);
  const { fields, sealing, linkFragment, receiptFragment, receiptToken } = await prepareSecret(
    parts,
    passphrase,
    hashPassphrase,
  );
  const blob = await gather(sealing);
  const receiptBearer = formatReceiptBearer(fields.id, receiptToken);
  return {
    async send() {
      const { expiresAt } = await createSecret(fields, terms, blob);
      return { fields, linkFragment, receiptFragment, receiptBearer, expiresAt };
    },
    discard() {},
  };
}

async function beginUpload(contents: Contents, terms: Terms): Promise<Attempt> {
  const { createUpload } = await import("./upload.ts").catch(() => {
    throw new WorkerLoadError("The code for uploading couldn't be loaded. Nothing was sent. Try again.");
  });
  const upload = createUpload(contents, terms, {
    createSecret,
    writePart,
    readReceipt,
    deleteSecret,
    mayPass,
    startWorker: () => startWorker(SEAL_WORKER),
    failure: (message) => new UnsealableError(message),
  });
  const send = (way?: Way) =>
    way
      ? upload.send(way.progress, way.signal)
      : guarded(() => cancellable("sending", ["Uploading", "Encrypting…"], upload.send));
  return { send, discard: upload.discard };
}
