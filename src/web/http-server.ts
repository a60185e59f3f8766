import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer, type Server as SecureServer } from "node:https";
import type { Socket } from "node:net";
import type { CertificatePair } from "../tls/certificate-pair.ts";
import { TLS_POLICY } from "../tls/tls-policy.ts";
import { createPace } from "./pace.ts";
import { createPlaces, type Place, type Places } from "./places.ts";

export type AnyServer = Server | SecureServer;

/** Times are milliseconds. */
export interface HttpServerOptions {
  /** From a connection to the end of its TLS handshake. */
  readonly handshakeTimeout: number;
  /** From a connection's or a request's first moment to the end of its headers. */
  readonly headersTimeout: number;
  /** To the end of its body, and that an answer may wait for its reader. */
  readonly requestTimeout: number;
  /** Bytes sent or received that add a second to that. */
  readonly bytesPerSecond: number;
  /** That a connection may be silent between two requests. */
  readonly keepAliveTimeout: number;
  /** That a connection may be silent within a request or an answer. */
  readonly idleTimeout: number;
  /** Between two looks for connections that took too long. */
  readonly checkInterval: number;
  readonly maxConnections: number;
}

/**
 * Slow clients cost a server nothing but a place, so each place is taken back in time.
 * - A handshake is two round trips: Node would wait for it for two minutes.
 * - Headers are a few hundred bytes from an honest client: 10 s on the worst line. Slowloris lives
 *   on servers that wait longer; Node looks only every 30 s unless told otherwise.
 * - A body has 60 s, and a second more for every 16 KiB that came: a line of 130 kbit/s may send
 *   whatever a route accepts. So has an answer that the client does not read.
 * - Keep-alive outlasts the 60 s of nginx, HAProxy and cloud load balancers: were ours the shorter,
 *   they would now and then send a request into a connection that we were just closing, and say 502.
 * - Where all places are taken, `places.ts` decides who goes.
 */
export const HTTP_SERVER_OPTIONS: HttpServerOptions = {
  handshakeTimeout: 10_000,
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  bytesPerSecond: 16_384,
  keepAliveTimeout: 65_000,
  idleTimeout: 70_000,
  checkInterval: 1000,
  maxConnections: 4096,
};

/** Our largest request header is a bearer of 68 characters; the rest is for proxies and browsers. */
const MAX_HEADER_BYTES = 16_384;

/**
 * Node refuses beyond this many more. It counts a connection until its "close", some of which are
 * still to come while a burst of newcomers is accepted in their places.
 */
const CLOSING = 1024;

/**
 * Requests that a connection may have sent without waiting for answers. Hardly a client does that, and
 * Node begins with all that it has read: a page asked for 1,500 times at once, by somebody who reads
 * nothing, cost 8 MB.
 */
const PIPELINED = 32;

/** A server that does not listen yet. While draining, each answer is the last on its connection. */
export function createHttpServer(
  handler: RequestListener,
  isDraining: () => boolean,
  options: HttpServerOptions = HTTP_SERVER_OPTIONS,
): Server {
  return limited(createServer(httpOptions(options)), handler, isDraining, options);
}

/** The same over TLS. */
export function createHttpsServer(
  handler: RequestListener,
  isDraining: () => boolean,
  { cert, key }: Pick<CertificatePair, "cert" | "key">,
  options: HttpServerOptions = HTTP_SERVER_OPTIONS,
): SecureServer {
  const secured = { ...TLS_POLICY, cert, key, handshakeTimeout: options.handshakeTimeout };
  return limited(createSecureServer({ ...httpOptions(options), ...secured }), handler, isDraining, options);
}

function httpOptions(options: HttpServerOptions) {
  return {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: options.headersTimeout,
    requestTimeout: 0, // A fixed one would cut honest uploads: pace.ts counts what has come.
    keepAliveTimeout: options.keepAliveTimeout,
    connectionsCheckingInterval: options.checkInterval,
    noDelay: true,
  };
}

/** Node's own list, which closeAllConnections goes by, has no TLS connection before its handshake is over. */
const connections = new WeakMap<AnyServer, Places>();

function limited<S extends AnyServer>(
  server: S,
  handler: RequestListener,
  isDraining: () => boolean,
  options: HttpServerOptions,
): S {
  const places = createPlaces(options.maxConnections);
  connections.set(server, places);
  const paces = new WeakMap<Place, ReturnType<typeof createPace>>();
  const pace = { patience: options.requestTimeout, bytesPerSecond: options.bytesPerSecond };

  server.on("connection", (socket: Socket) => {
    const place = places.take(socket);
    if (place) paces.set(place, createPace(pace));
    else socket.destroy();
  });
  // Node writes the 100 of a pipelined request, whose turn has not come, between head and body of its
  // answer (OutgoingMessage#_send puts the head before what is queued). Such a client does not wait for
  // it anyway: RFC 9110, section 10.1.1, allows to leave it out.
  server.on("checkContinue", (req, res) => {
    if (res.socket !== null) res.writeContinue();
    server.emit("request", req, res);
  });
  server.on("request", (req, res) => {
    // Cut, but Node still goes through what it had read.
    if (req.socket.destroyed) return;
    const place = places.of(req.socket);
    if (place) {
      places.begin(place);
      if (place.requests > PIPELINED) {
        req.socket.destroy();
        return;
      }
      res.once("close", () => places.end(place));
      paces.get(place)?.request(req, res, performance.now());
    }
    if (isDraining()) res.shouldKeepAlive = false;
    handler(req, res);
  });
  const watch = setInterval(() => {
    const now = performance.now();
    for (const place of places.all()) paces.get(place)?.check(now);
  }, options.checkInterval).unref();
  server.once("close", () => clearInterval(watch));

  server.timeout = options.idleTimeout;
  server.maxConnections = options.maxConnections + CLOSING;
  // Now and then a proxy's long-lived connection moves to another replica.
  server.maxRequestsPerSocket = 10_000;
  server.maxHeadersCount = 100;
  return server;
}

/**
 * Takes no more connections, lets requests in flight finish, and cuts what is left after `patience`
 * milliseconds. Resolves when no connection is left.
 */
export async function drain(server: AnyServer, patience: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A connection that was busy when `close` was called becomes idle later, and would stay.
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  const cut = setTimeout(() => {
    server.closeAllConnections();
    for (const { socket } of connections.get(server)?.all() ?? []) socket.destroy();
  }, patience);
  await closed;
  clearInterval(sweep);
  clearTimeout(cut);
}
