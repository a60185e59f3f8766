import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, request } from "node:http";
import { createServer as createSecureServer } from "node:https";

/** What went through; `meddle` changes it at will. Header names are lower case. */
export interface Passing {
  readonly method: string;
  readonly path: string;
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface MeddlingProxy {
  readonly port: number;
  close(): Promise<void>;
}

export interface MeddlingOptions {
  /** Asked for at each request, since the server behind is started after the proxy that it must know. */
  readonly target: () => number;
  /** PEM texts: it serves https then. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Headers that it sets on the way in; by default it appends the client to X-Forwarded-For, as nginx may. */
  readonly forward?: (headers: IncomingHttpHeaders, client: string) => IncomingHttpHeaders;
  readonly meddle?: (passing: Passing) => void;
}

const append = (headers: IncomingHttpHeaders, client: string) => ({
  ...headers,
  "x-forwarded-for": [headers["x-forwarded-for"], client].filter(Boolean).join(", "),
});

/** A reverse proxy that can be configured as badly as any. */
export async function startMeddlingProxy(options: MeddlingOptions): Promise<MeddlingProxy> {
  const { target, tls, forward = append, meddle } = options;
  const server = tls === undefined ? createServer() : createSecureServer({ ...tls });
  server.on("request", (req, res) => {
    const headers = forward(
      { ...req.headers, "accept-encoding": "identity" },
      req.socket.remoteAddress ?? "",
    );
    const onwards = {
      host: "127.0.0.1",
      port: target(),
      path: req.url,
      method: req.method,
      headers,
      agent: false,
    };
    const sent = request(onwards, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => {
        const passing: Passing = {
          method: req.method ?? "",
          path: req.url ?? "",
          status: answer.statusCode ?? 0,
          headers: { ...answer.headers },
          body: Buffer.concat(chunks),
        };
        meddle?.(passing);
        delete passing.headers["content-length"];
        if (passing.headers.date === undefined) res.sendDate = false;
        res.writeHead(passing.status, passing.headers);
        res.end(passing.body);
      });
    });
    sent.on("error", () => res.writeHead(502).end("Bad gateway"));
    req.pipe(sent);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The system gave no port.");
  return {
    port: address.port,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
