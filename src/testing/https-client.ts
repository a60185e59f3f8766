import { type RequestOptions, request } from "node:https";
import type { TLSSocket } from "node:tls";

export interface HttpsAnswer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** Of the certificate that was shown, as `X509Certificate` writes it. */
  readonly fingerprint: string;
  readonly protocol: string | null;
}

/** One request on a connection of its own. Nothing is verified: the test looks at the fingerprint. */
export function httpsGet(url: string, options: RequestOptions = {}): Promise<HttpsAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { rejectUnauthorized: false, agent: false, ...options }, (response) => {
      const socket = response.socket as TLSSocket;
      const fingerprint = socket.getPeerX509Certificate()?.fingerprint256 ?? "";
      const protocol = socket.getProtocol();
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () =>
        resolve({ status: response.statusCode, headers: response.headers, text, fingerprint, protocol }),
      );
    });
    sent.on("error", reject);
    sent.end();
  });
}
