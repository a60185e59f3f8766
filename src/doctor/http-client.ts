import { type IncomingHttpHeaders, request as requestPlain } from "node:http";
import { request as requestSecure } from "node:https";

/** Milliseconds for one request, from connecting to the last byte. */
const PATIENCE = 4000;
const MAX_ANSWER = 2 ** 21;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Question {
  readonly method?: "GET" | "POST" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
}

/** No answer. The message says why in words, without the address. */
export class NoAnswerError extends Error {
  override readonly name = "NoAnswerError";
  readonly code: string;
  constructor(code: string) {
    super(WORDS[code] ?? `the connection failed (${code})`);
    this.code = code;
  }
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there (ECONNREFUSED)",
  ECONNRESET: "the connection was cut (ECONNRESET)",
  EHOSTUNREACH: "there is no way to that machine (EHOSTUNREACH)",
  ENETUNREACH: "there is no way to that network (ENETUNREACH)",
  ABORT_ERR: "no answer within 4 seconds",
  ETIMEDOUT: "no answer (ETIMEDOUT)",
  EPROTO: "it does not speak TLS there (EPROTO)",
  HPE_INVALID_CONSTANT: "it does not speak HTTP there",
};

export interface HttpClient {
  /** `path` comes after the base, such as `/api/v1/secret`. Follows no redirect. Throws NoAnswerError. */
  ask(path: string, question?: Question): Promise<Answer>;
}

/**
 * The certificate is looked at by a check of its own, which says more than a refused connection would;
 * here a bad one is let pass so that the rest can be checked too. Nothing but a test text is sent.
 */
export function createHttpClient(base: URL): HttpClient {
  const prefix = base.href.replace(/\/$/, "");
  const request = base.protocol === "https:" ? requestSecure : requestPlain;

  return {
    ask(path, { method = "GET", headers = {}, json } = {}) {
      const body = json === undefined ? undefined : JSON.stringify(json);
      const options = {
        method,
        agent: false,
        rejectUnauthorized: false,
        signal: AbortSignal.timeout(PATIENCE),
        headers: {
          "User-Agent": "waxseal-doctor",
          ...(body === undefined
            ? {}
            : { "Content-Type": "application/json", "Content-Length": String(Buffer.byteLength(body)) }),
          ...headers,
        },
      } as const;
      return new Promise<Answer>((resolve, reject) => {
        const fail = (error: Error) => {
          const code = "code" in error ? String(error.code) : error.name;
          reject(new NoAnswerError(code === "TimeoutError" ? "ABORT_ERR" : code));
        };
        const sent = request(`${prefix}${path}`, options, (response) => {
          const chunks: Buffer[] = [];
          let length = 0;
          response.on("data", (chunk: Buffer) => {
            length += chunk.length;
            if (length > MAX_ANSWER) sent.destroy(new NoAnswerError("an answer that is too long"));
            chunks.push(chunk);
          });
          response.on("error", fail);
          response.on("end", () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: Buffer.concat(chunks),
            }),
          );
        });
        sent.on("error", fail);
        sent.end(body);
      });
    },
  };
}
