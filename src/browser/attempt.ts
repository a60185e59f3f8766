import { UnsealableError } from "../envelope/errors.ts";
import { textPart } from "../envelope/parts.ts";
import { gather, sealedLength } from "../envelope/seal.ts";
import { prepareSecret } from "../envelope/sender.ts";
import { formatReceiptBearer } from "../envelope/tokens.ts";
import { createSecret, deleteSecret, mayPass, readReceipt, writePart } from "./api.ts";
import { cancellable, guarded } from "./cancellable.ts";
import { filePart } from "./file-part.ts";
import { hashPassphrase } from "./hash-passphrase.ts";
import type { Contents, SealedKeys } from "./seal-worker.ts";
import { startWorker, WorkerLoadError } from "./start-worker.ts";

/** What one press of the button made. A retry sends the very same bytes, so it can't create twice. */
export interface Attempt {
  send(): Promise<SealedKeys & { readonly expiresAt: string }>;
  /** It won't be sent again. */
  discard(): void;
}

/** Bytes of a blob that the server takes in one request with all the rest. */
const MAX_INLINE = 65_536;

export async function beginAttempt(contents: Contents, ttl: number): Promise<Attempt> {
  const { text, files, passphrase } = contents;
  const parts = [...(text === "" ? [] : [textPart(text)]), ...files.map(filePart)];
  if (sealedLength(parts) > MAX_INLINE) return beginUpload(contents, ttl);
  const { fields, sealing, linkFragment, receiptFragment, receiptToken } = await prepareSecret(
    parts,
    passphrase,
    hashPassphrase,
  );
  const blob = await gather(sealing);
  const receiptBearer = formatReceiptBearer(fields.id, receiptToken);
  return {
    async send() {
      const { expiresAt } = await createSecret(fields, ttl, blob);
      return { fields, linkFragment, receiptFragment, receiptBearer, expiresAt };
    },
    discard() {},
  };
}

async function beginUpload(contents: Contents, ttl: number): Promise<Attempt> {
  const { createUpload } = await import("./upload.ts").catch(() => {
    throw new WorkerLoadError("The code for uploading couldn't be loaded. Nothing was sent. Try again.");
  });
  const upload = createUpload(contents, ttl, {
    createSecret,
    writePart,
    readReceipt,
    deleteSecret,
    mayPass,
    startWorker: () => startWorker(SEAL_WORKER),
    failure: (message) => new UnsealableError(message),
  });
  const send = () => guarded(() => cancellable("sending", ["Uploading", "Encrypting…"], upload.send));
  return { send, discard: upload.discard };
}
