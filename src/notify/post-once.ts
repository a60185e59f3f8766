import type { LookupAddress } from "node:dns";
import { Agent as HttpAgent, request as httpRequest, type OutgoingHttpHeaders } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { LookupFunction } from "node:net";
import { rootCertificates } from "node:tls";

/** Of an answer's body, which nobody needs: reading some lets the other side end in an orderly way. */
const MAX_ANSWER = 65_536;
/** Milliseconds that a body may go on when the answer itself is there. */
const BODY_PATIENCE = 1000;

export interface Post {
  readonly url: URL;
  /** The checked addresses of its host. No other is connected to, whatever DNS says by now. */
  readonly addresses: readonly LookupAddress[];
  readonly headers: OutgoingHttpHeaders;
  readonly body: string;
  /** PEM: authorities besides the well-known ones. */
  readonly ca: string | undefined;
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
}

function pinned(addresses: readonly LookupAddress[]): LookupFunction {
  return (_host, { all }, done) => {
    const [first] = addresses;
    if (first === undefined) done(new Error("There is no address to connect to."), "");
    else if (all) done(null, [...addresses]);
    else done(null, first.address, first.family);
  };
}

/**
 * One POST on a connection of its own, past every proxy, to one of exactly these addresses, while
 * `Host` and the certificate's name stay those of the URL. A redirect is an answer like any other.
 * Rejects with what the connection failed with.
 */
export function postOnce({ url, addresses, headers, body, ca, signal }: Post): Promise<Answer> {
  const common = { method: "POST", lookup: pinned(addresses), headers, signal, maxHeaderSize: 16_384 };
  // An agent of its own: nothing is kept alive or resumed, and no variable names a proxy for it.
  const secure = {
    ...common,
    agent: new HttpsAgent({ keepAlive: false, maxCachedSessions: 0 }),
    ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
    rejectUnauthorized: true,
  };
  const plain = { ...common, agent: new HttpAgent({ keepAlive: false }) };
  return new Promise((resolve, reject) => {
    const sent = url.protocol === "https:" ? httpsRequest(url, secure) : httpRequest(url, plain);
    sent.on("error", reject);
    sent.on("response", (response) => {
      const { statusCode: status = 0 } = response;
      // From here on all is known; how the body ends changes nothing.
      const finish = () => {
        clearTimeout(patience);
        sent.destroy();
        resolve({ status, retryAfter: response.headers["retry-after"] });
      };
      const patience = setTimeout(finish, BODY_PATIENCE);
      let read = 0;
      response.on("data", (chunk: Buffer) => {
        read += chunk.length;
        if (read >= MAX_ANSWER) finish();
      });
      response.on("error", finish);
      response.on("close", finish);
    });
    sent.end(body);
  });
}
