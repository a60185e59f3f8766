import type { AnyServer } from "./http-server.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
  /** The setting that the port comes from. */
  readonly setting: "PORT" | "METRICS_PORT" | "REDIRECT_PORT";
}

/** Nothing can be served at this address; the message says what to change. */
export class ListenError extends Error {
  override readonly name = "ListenError";
  readonly code = "listen";
}

function explain({ host, port, setting }: Address, code: string | undefined): string {
  switch (code) {
    case "EADDRINUSE":
      return `Port ${port} is in use. Stop the program that has it, or set ${setting} to another port.`;
    case "EACCES":
      return `This user may not open port ${port}. Set ${setting} to 1024 or above.`;
    case "EADDRNOTAVAIL":
      return `This machine does not have the address ${host}. Correct HOST; 0.0.0.0 means all addresses.`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `The name ${host} leads to no address. Correct HOST; 0.0.0.0 means all addresses.`;
    default:
      return `Nothing can listen on ${host}, port ${port} (${code ?? "unknown error"}). Correct HOST or ${setting}.`;
  }
}

/**
 * Connections that the system completes before we take them; it may allow fewer (net.core.somaxconn).
 * With Node's own 511 a burst fills the queue, and people's first packets are dropped until they are
 * sent again, a second or more later.
 */
const BACKLOG = 4096;

/** Resolves when the server accepts connections. Throws ListenError where it can't. */
export function listen(server: AnyServer, address: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      reject(new ListenError(explain(address, cause.code), { cause }));
    });
    server.listen({ port: address.port, host: address.host, backlog: BACKLOG }, () => {
      server.removeAllListeners("error");
      resolve();
    });
  });
}
