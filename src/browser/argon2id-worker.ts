/** The worker's whole life: one passphrase in, one key out. */
import { argon2id } from "../envelope/argon2id.ts";
import type { Bytes } from "../envelope/bytes.ts";

export interface PassphraseMessage {
  readonly passphrase: Bytes;
  readonly salt: Bytes;
}

addEventListener("message", ({ data }: MessageEvent<PassphraseMessage>) => {
  const stretched = argon2id(data.passphrase, data.salt);
  data.passphrase.fill(0);
  postMessage(stretched, { transfer: [stretched.buffer] });
});
