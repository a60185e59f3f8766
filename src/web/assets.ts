import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import type { RequestHandler } from "express";
import type { AssetReference } from "./views.ts";

/** One built file in memory, with its compressed forms. */
interface Asset {
  readonly type: string;
  readonly encodings: ReadonlyMap<Encoding, Buffer>;
}

type Encoding = "br" | "gzip" | "identity";

export interface Assets {
  /** By file name, hash included. */
  readonly files: ReadonlyMap<string, Asset>;
  /** By plain name, such as `create.js`: for a page's head. */
  reference(name: string, basePath: string): AssetReference;
}

const TYPES: Readonly<Record<string, string>> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml; charset=utf-8",
};

/** Reads what the build has left in `directory`; throws where the build hasn't been run. */
export function loadAssets(directory: string): Assets {
  const manifest = JSON.parse(readFileSync(join(directory, "manifest.json"), "utf8"));
  const files = new Map<string, Asset>();
  for (const file of readdirSync(directory)) {
    const type = TYPES[extname(file)];
    if (!type) continue;
    const path = join(directory, file);
    const encodings = new Map<Encoding, Buffer>([
      ["br", readFileSync(`${path}.br`)],
      ["gzip", readFileSync(`${path}.gz`)],
      ["identity", readFileSync(path)],
    ]);
    files.set(file, { type, encodings });
  }
  return {
    files,
    reference(name, basePath) {
      const entry = manifest[name];
      if (!entry) throw new Error(`The build has no ${name}. Run npm run build.`);
      return { href: `${basePath}/assets/${entry.file}`, integrity: entry.integrity };
    },
  };
}

/**
 * The smallest form that the request accepts, `encodings` being in that order. Each is asked for by
 * itself: browsers accept gzip and br alike, and the better match of all would be the one they name first.
 */
export function pickEncoding<E extends Encoding>(
  request: { acceptsEncodings(...of: string[]): string | false },
  encodings: ReadonlyMap<E, Buffer>,
): [E, Buffer] | undefined {
  const found = [...encodings].find(([name]) => request.acceptsEncodings(name) === name);
  return found ?? [...encodings].at(-1);
}

/** Serves `/assets/:file`. A name carries its content's hash, so it never has to be asked for again. */
export function serveAssets({ files }: Assets): RequestHandler<{ file: string }> {
  return (request, response, next) => {
    const asset = files.get(request.params.file);
    const picked = asset && pickEncoding(request, asset.encodings);
    if (!picked) return next();
    const [encoding, body] = picked;
    response.set("Cache-Control", "public, max-age=31536000, immutable");
    response.set("Content-Type", asset.type);
    response.vary("Accept-Encoding");
    if (encoding !== "identity") response.set("Content-Encoding", encoding);
    response.end(body);
  };
}
