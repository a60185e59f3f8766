import type { Bytes } from "../envelope/bytes.ts";
import type { PassphraseHash } from "../envelope/keys.ts";
import type { PassphraseMessage } from "./argon2id-worker.ts";

/** The worker's code couldn't be loaded; nothing was sent, and the same click may be tried again. */
export class WorkerLoadError extends Error {
  override readonly name = "WorkerLoadError";
}

const workerUrl = new URL(WORKER_FILE, import.meta.url).href;

// The page's policy forbids any script URL that hasn't passed here, and this passes just one.
const policy = window.trustedTypes?.createPolicy("waxseal-worker", {
  createScriptURL(url) {
    if (url !== workerUrl) throw new TypeError("Not the worker's address.");
    return url;
  },
});

/** Argon2id in a worker of its own, which ends, and frees its 46 MiB, when the key is there. */
export const hashPassphrase: PassphraseHash = (passphrase, salt) =>
  new Promise<Bytes>((resolve, reject) => {
    const trusted = (policy?.createScriptURL(workerUrl) ?? workerUrl) as string;
    const worker = new Worker(trusted);
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
