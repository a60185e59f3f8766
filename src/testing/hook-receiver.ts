import { once } from "node:events";
import { createServer as createHttpServer, type IncomingHttpHeaders, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { Socket } from "node:net";

/** A request that came in whole. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface HookReceiver {
  readonly port: number;
  /** In the order in which they were complete. */
  readonly received: readonly Received[];
  /** How many connections were opened so far, and how many of them are open. */
  readonly connections: () => { readonly all: number; readonly open: number };
  close(): Promise<void>;
}

export interface HookReceiverOptions {
  readonly host?: string;
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** A real receiver of webhooks at 127.0.0.1 or another address of this machine; it answers as `answer` does. */
export async function startHookReceiver(
  answer: RequestListener = (_request, response) => response.writeHead(204).end(),
  { host = "127.0.0.1", tls }: HookReceiverOptions = {},
): Promise<HookReceiver> {
  const received: Received[] = [];
  const sockets = new Set<Socket>();
  let all = 0;
  const listener: RequestListener = async (request, response) => {
    let body = "";
    try {
      for await (const chunk of request.setEncoding("utf8")) body += chunk;
    } catch {
      return; // the sender went away
    }
    const { method = "", url: path = "", headers } = request;
    received.push({ method, path, headers, body });
    answer(request, response);
  };
  const server = tls === undefined ? createHttpServer(listener) : createHttpsServer(tls, listener);
  server.on("connection", (socket: Socket) => {
    all += 1;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  // A client that does not trust us.
  server.on("tlsClientError", () => {});
  server.listen(0, host);
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The system gave no port.");
  return {
    port: address.port,
    received,
    connections: () => ({ all, open: sockets.size }),
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}
