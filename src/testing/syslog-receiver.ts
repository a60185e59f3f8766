import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";

/** A message of RFC 5424, taken apart. */
export interface SyslogMessage {
  readonly priority: number;
  readonly timestamp: string;
  readonly host: string;
  readonly app: string;
  readonly process: string;
  readonly id: string;
  readonly data: string;
  readonly text: string;
}

/** A real receiver over TCP or TLS that a test can make as bad as receivers are. */
export interface SyslogReceiver {
  readonly port: number;
  /** In the order of arrival; throws what was wrong with the framing or a message. */
  readonly messages: () => readonly SyslogMessage[];
  readonly connections: () => number;
  /** Connections stay and nothing is read, until `listen`. */
  stall(): void;
  /** Ends connections and refuses new ones, until `listen`. */
  close(): Promise<void>;
  /** Takes everything again, on the same port. */
  listen(): Promise<void>;
}

/** As the grammar of RFC 5424, section 6, has it, for messages without structured data. */
const MESSAGE =
  /^<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) (-) (.*)$/;

function parse(text: string): SyslogMessage {
  const [, priority, timestamp = "", host = "", app = "", process = "", id = "", data = "", rest = ""] =
    MESSAGE.exec(text) ?? [];
  if (priority === undefined) throw new Error(`This is no message of RFC 5424: ${text}`);
  return { priority: Number(priority), timestamp, host, app, process, id, data, text: rest };
}

export async function startSyslogReceiver(tls?: {
  readonly cert: string;
  readonly key: string;
}): Promise<SyslogReceiver> {
  const received: SyslogMessage[] = [];
  const sockets = new Set<Socket>();
  let fault: unknown;
  let connections = 0;
  let stalled = false;
  let server: Server;
  let port = 0;

  function take(socket: Socket): void {
    let rest = Buffer.alloc(0);
    connections++;
    sockets.add(socket);
    if (stalled) socket.pause();
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      try {
        for (;;) {
          // Octet counting: a length without leading zeros, a space, so many bytes (RFC 6587, section 3.4.1).
          const [head, digits] = /^([1-9]\d{0,5}) /.exec(rest.subarray(0, 8).toString("latin1")) ?? [];
          if (head === undefined) {
            if (rest.length >= 8) throw new Error(`No length stands here: ${rest.subarray(0, 40)}`);
            return;
          }
          const end = head.length + Number(digits);
          if (rest.length < end) return;
          received.push(parse(rest.subarray(head.length, end).toString()));
          rest = rest.subarray(end);
        }
      } catch (error) {
        fault = error;
        socket.destroy();
      }
    });
  }

  async function listen(): Promise<void> {
    stalled = false;
    if (server?.listening) {
      for (const socket of sockets) socket.resume();
      return;
    }
    server = tls === undefined ? createServer(take) : createTlsServer(tls, take);
    server.on("tlsClientError", () => {});
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("The system gave no port.");
    port = address.port;
  }

  await listen();
  return {
    port,
    messages() {
      if (fault !== undefined) throw fault;
      return received;
    },
    connections: () => connections,
    stall() {
      stalled = true;
      for (const socket of sockets) socket.pause();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      if (!server.listening) return;
      server.close();
      await once(server, "close");
    },
    listen,
  };
}
