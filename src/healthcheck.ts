import { get as getPlain } from "node:http";
import { networkInterfaces } from "node:os";

/** Milliseconds; readiness answers within one second or says that it can't. */
const PATIENCE = 3000;

/** Where a listener on `host` can be reached from the same machine. */
function reachableHost(host: string | undefined): string {
  return !host || host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
}

/** Packets to such an address never leave the machine, so nobody can answer in the server's place. */
function isThisMachine(host: string): boolean {
  if (host === "localhost" || host === "::1" || host.startsWith("127.")) return true;
  return Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ address }) => address === host),
  );
}

/**
 * Asks the server beside us whether it is ready: 0 where it is, 1 where not. For a container's health
 * check, where there is no shell and no curl; so it loads nothing but Node's own HTTP client.
 */
export async function healthcheck(env: Readonly<Record<string, string | undefined>>): Promise<0 | 1> {
  const host = reachableHost(env.HOST?.trim());
  const port = env.PORT?.trim() || "8080";
  const secure = env.TLS?.trim() === "self-signed" || Boolean(env.TLS_CERT_FILE?.trim());
  const get = secure ? (await import("node:https")).get : getPlain;
  // The certificate is for the name that people use, and we ask by address.
  const options = { host, port, path: "/readyz", timeout: PATIENCE, agent: false } as const;
  return new Promise((resolve) => {
    const request = get({ ...options, rejectUnauthorized: !isThisMachine(host) }, (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? 0 : 1);
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(1));
  });
}
