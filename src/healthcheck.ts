import { get } from "node:http";

/** Milliseconds; readiness answers within one second or says that it can't. */
const PATIENCE = 3000;

/** Where a listener on `host` can be reached from the same machine. */
function reachableHost(host: string | undefined): string {
  return !host || host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
}

/**
 * Asks the server beside us whether it is ready: 0 where it is, 1 where not. For a container's health
 * check, where there is no shell and no curl; so it loads nothing but Node's own HTTP client.
 */
export function healthcheck(env: Readonly<Record<string, string | undefined>>): Promise<0 | 1> {
  const host = reachableHost(env.HOST?.trim());
  const port = env.PORT?.trim() || "8080";
  return new Promise((resolve) => {
    const request = get({ host, port, path: "/readyz", timeout: PATIENCE, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? 0 : 1);
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(1));
  });
}
