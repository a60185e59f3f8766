/**
 * Makes `dist/`: the server as plain JavaScript, the browser's scripts and styles under names that
 * carry their hash, each also brotli- and gzip-compressed, and a manifest of it all.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { type BuildOptions, buildSync, type OutputFile } from "esbuild";

const root = fileURLToPath(new URL("../../", import.meta.url));
/** Filled out of sight and put in place at the end, so that whoever runs `dist` never sees half of it. */
const building = join(root, `node_modules/.waxseal-build-${process.pid}`);
const assetsDir = join(building, "assets");

interface ManifestEntry {
  readonly file: string;
  readonly integrity: string;
}

function buildServer(): void {
  execFileSync(
    process.execPath,
    [join(root, "node_modules/typescript/bin/tsc"), "-p", join(root, "src/build"), "--outDir", building],
    {
      stdio: "inherit",
    },
  );
  cpSync(join(root, "src/store/lua"), join(building, "store/lua"), { recursive: true });
}

const browserOptions = {
  absWorkingDir: root,
  bundle: true,
  write: false,
  minify: true,
  format: "esm",
  target: ["chrome109", "firefox115", "safari16.4"],
  outdir: assetsDir,
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  legalComments: "none",
  logLevel: "warning",
} as const satisfies BuildOptions;

function bundle(entry: string, options: BuildOptions = {}): { entry: OutputFile; files: OutputFile[] } {
  const { outputFiles = [] } = buildSync({ ...browserOptions, ...options, entryPoints: [entry] });
  const name = basename(entry, extname(entry));
  const main = outputFiles.find(({ path }) => basename(path).startsWith(`${name}-`));
  if (!main) throw new Error(`esbuild made nothing of ${entry}.`);
  if (/^import\b[^(]*?["']\.\//.test(main.text)) {
    throw new Error(
      `${entry} would wait for a second file at every first load: it shares a module with code that it loads ` +
        "later. Hand that code over as an argument instead, as upload.ts has it.",
    );
  }
  return { entry: main, files: outputFiles };
}

function integrityOf(contents: Uint8Array): string {
  return `sha384-${createHash("sha384").update(contents).digest("base64")}`;
}

/** Compressed once here, at the highest level, so that no request pays for it. */
function writeAsset(file: string, contents: Uint8Array): void {
  const path = join(assetsDir, file);
  writeFileSync(path, contents);
  writeFileSync(`${path}.gz`, gzipSync(contents, { level: 9 }));
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: 11,
    [constants.BROTLI_PARAM_SIZE_HINT]: contents.length,
  };
  writeFileSync(`${path}.br`, brotliCompressSync(contents, { params }));
}

function buildAssets(): void {
  mkdirSync(assetsDir, { recursive: true });
  const manifest: Record<string, ManifestEntry> = {};
  const publish = (name: string, { entry, files }: { entry: OutputFile; files: readonly OutputFile[] }) => {
    for (const { path, contents } of files) writeAsset(basename(path), contents);
    manifest[name] = { file: basename(entry.path), integrity: integrityOf(entry.contents) };
  };

  // The scripts know the workers by their hashed names; nothing in the page can point them elsewhere.
  const define: Record<string, string> = {};
  for (const worker of ["argon2id", "seal"]) {
    const built = bundle(`src/browser/${worker}-worker.ts`, { format: "iife" });
    publish(`${worker}-worker.js`, built);
    define[`${worker.toUpperCase()}_WORKER`] = JSON.stringify(basename(built.entry.path));
  }
  for (const page of ["create", "open", "receipt", "links"]) {
    publish(`${page}.js`, bundle(`src/browser/${page}.ts`, { define, splitting: true }));
  }
  publish("waxseal.css", bundle("static/waxseal.css"));

  const icon = readFileSync(join(root, "static/icon.svg"));
  const iconFile = `icon-${createHash("sha256").update(icon).digest("hex").slice(0, 8)}.svg`;
  writeAsset(iconFile, icon);
  manifest["icon.svg"] = { file: iconFile, integrity: integrityOf(icon) };
  writeFileSync(join(assetsDir, "manifest.json"), JSON.stringify(manifest, undefined, 2));
}

function putInPlace(): void {
  const dist = join(root, "dist");
  const old = `${building}-old`;
  if (existsSync(dist)) renameSync(dist, old);
  renameSync(building, dist);
  rmSync(old, { recursive: true, force: true });
}

try {
  buildServer();
  buildAssets();
  putInPlace();
} finally {
  rmSync(building, { recursive: true, force: true });
}
