/** A worker thread that stretches one passphrase at a time, off the event loop. */
import { parentPort } from "node:worker_threads";
import { argon2id } from "../envelope/argon2id.ts";
import type { Bytes } from "../envelope/bytes.ts";

export interface PassphraseMessage {
  readonly passphrase: Bytes;
  readonly salt: Bytes;
}

parentPort?.on("message", ({ passphrase, salt }: PassphraseMessage) => {
  const stretched = argon2id(passphrase, salt);
  passphrase.fill(0);
  parentPort?.postMessage(stretched, [stretched.buffer]);
});
