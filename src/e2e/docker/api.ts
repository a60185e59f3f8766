// What a program does with Waxseal over HTTP, past a proxy or through it.

import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { ask } from "../../testing/every-flow.ts";
import { newClaim, type SealedSecret } from "../../testing/sealed-secret.ts";

/**
 * The answer's status, asked for again while it is 503: what is sent must bear that. `address` ends before
 * `/api`.
 */
export async function post(address: string, path: string, body: object, bearer?: string): Promise<number> {
  const signedIn = bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` };
  const headers = { "Content-Type": "application/json", ...signedIn };
  const init = { method: "POST", headers, body: JSON.stringify(body) };
  const answer = await ask(`${address}/api/v1/${path}`, init);
  await answer.arrayBuffer();
  return answer.status;
}

/** Opens the secret and says that it has come. A claim makes of a repeated request the same delivery. */
export async function openSecret(address: string, { access, link }: SealedSecret): Promise<void> {
  const claim = newClaim();
  assert.equal(await post(address, "secret/open", { access, claim }, link), 200);
  assert.equal(await post(address, "secret/ack", { claim }, link), 204);
}

export interface FollowedReceipt {
  /** Resolves when this has come; rejects where the stream ends before it. */
  readonly comes: (what: RegExp) => Promise<void>;
  readonly close: () => void;
}

/** Follows a receipt over https, whoever signed the certificate. */
export async function followReceipt(address: string, bearer: string): Promise<FollowedReceipt> {
  const headers = { Authorization: `Bearer ${bearer}` };
  const asked = request(`${address}/api/v1/receipt/events`, { headers, rejectUnauthorized: false });
  asked.end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  if (response.statusCode !== 200) {
    asked.destroy();
    throw new Error(`The proxy answered ${response.statusCode}.`);
  }
  const chunks = response.setEncoding("utf8")[Symbol.asyncIterator]();
  let text = "";
  return {
    async comes(what) {
      while (!what.test(text)) {
        const { done, value } = await chunks.next();
        if (done) throw new Error(`The stream ended before ${what}: ${text}`);
        text += value;
      }
    },
    close: () => asked.destroy(),
  };
}
