import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { type Bytes, copyOf } from "../envelope/bytes.ts";
import type { PassphraseHash } from "../envelope/keys.ts";
import type { PassphraseMessage } from "./argon2id-worker.ts";

/** More passphrases at once than the server will hold in memory: try again shortly. */
export class HasherBusyError extends Error {
  override readonly name = "HasherBusyError";
  readonly code = "busy";
  constructor() {
    super(
      "Too many passphrases are being checked right now. Nothing was used up; try again in a few seconds.",
    );
  }
}

// Beside this file in the build. Worker threads run plain JavaScript only, so sources have none.
const workerUrl = new URL("./argon2id-worker.js", import.meta.url);

/**
 * Argon2id for the assisted pages: one at a time, each in a worker of its own that ends with it, so
 * that 46 MiB and a passphrase's traces are given back at once. `queueLength` more may wait;
 * beyond that it rejects with `HasherBusyError`.
 */
export function createPassphraseHasher({ queueLength = 16 } = {}): PassphraseHash {
  let waiting = 0;
  let turn: Promise<unknown> = Promise.resolve();

  async function stretch(message: PassphraseMessage): Promise<Bytes> {
    const worker = new Worker(workerUrl);
    try {
      worker.postMessage(message, [message.passphrase.buffer]);
      const [stretched] = await once(worker, "message");
      return stretched;
    } finally {
      await worker.terminate();
    }
  }

  return (passphrase, salt) => {
    if (waiting > queueLength) return Promise.reject(new HasherBusyError());
    waiting += 1;
    // A copy that is the worker's to keep: the caller's own buffer stays valid, and is wiped by it.
    const message = { passphrase: copyOf(passphrase), salt: salt.slice() };
    const mine = turn.then(() => stretch(message)).finally(() => (waiting -= 1));
    turn = mine.catch(() => undefined);
    return mine;
  };
}
