import type { Bytes } from "../envelope/bytes.ts";
import type { PassphraseHash } from "../envelope/keys.ts";
import type { PassphraseMessage } from "./argon2id-worker.ts";
import { startWorker, WorkerLoadError } from "./start-worker.ts";

/** Argon2id in a worker of its own, which ends, and frees its 46 MiB, when the key is there. */
export const hashPassphrase: PassphraseHash = (passphrase, salt) =>
  new Promise<Bytes>((resolve, reject) => {
    const worker = startWorker(ARGON2ID_WORKER);
    worker.onmessage = ({ data }: MessageEvent<Bytes>) => {
      resolve(data);
      worker.terminate();
    };
    worker.onerror = () => {
      reject(new WorkerLoadError("The passphrase couldn't be checked. Nothing was sent. Try again."));
      worker.terminate();
    };
    worker.postMessage({ passphrase, salt } satisfies PassphraseMessage);
  });
