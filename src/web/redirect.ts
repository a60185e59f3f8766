import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Config } from "../config/config.ts";

/** What people type or have in a bookmark. A link's secret part never comes here: browsers keep it. */
const PAGES = ["/", "/s", "/r", "/assisted", "/assisted/open"];

/** The part before any `?`; an absolute address, as proxies send it, is none of ours. */
function pathOf({ url = "" }: IncomingMessage): string {
  return url.split("?", 1)[0] ?? "";
}

function send(res: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
  res.writeHead(status, {
    "Content-Type": "text/plain; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    ...headers,
  });
  res.end(text);
}

/**
 * Plain http beside https: sends people on to the same page of PUBLIC_URL and nobody anywhere else.
 * Where to is made of the configuration alone, never of the request's Host or query, so it can't be
 * turned into a redirect to somebody else's site (CWE-601).
 */
export function createRedirect({
  publicUrl,
  basePath,
}: Pick<Config, "publicUrl" | "basePath">): RequestListener {
  const home = `${publicUrl.origin}${basePath}/`;
  const targets = new Map(
    PAGES.map((page) => [`${basePath}${page}`, `${publicUrl.origin}${basePath}${page}`]),
  );
  targets.set("/", home);
  if (basePath !== "") targets.set(basePath, home);
  const hint = `This port only sends people on. Use ${home}\n`;

  return (req, res) => {
    const path = pathOf(req);
    if (req.method !== "GET" && req.method !== "HEAD") {
      send(res, 405, hint, { Allow: "GET, HEAD" });
      return;
    }
    if (path === "/healthz") {
      send(res, 200, "ok\n");
      return;
    }
    // A program that has just sent its token in the clear must hear of it, rather than go on doing so.
    if (path.startsWith(`${basePath}/api/`)) {
      send(res, 403, `The API is not served without encryption. ${hint}`);
      return;
    }
    const target = targets.get(path);
    if (target === undefined) send(res, 404, hint);
    else send(res, 308, hint, { Location: target });
  };
}
