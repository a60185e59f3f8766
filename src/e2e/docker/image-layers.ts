// What is in an image: each layer's size and each file's hash, read from `docker save`.

import { createHash } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Engine } from "./engine.ts";
import { temporaryFolder } from "./leftovers.ts";
import { run } from "./tools.ts";

export type LayerFile = {
  readonly path: string;
  readonly type: string;
  readonly mode: string;
  readonly owner: string;
  readonly modified: number;
  readonly size: number;
  readonly sha256: string;
};

export type Layer = { readonly size: number; readonly files: readonly LayerFile[] };

const textOf = (block: Buffer, from: number, length: number): string => {
  const field = block.subarray(from, from + length);
  const end = field.indexOf(0);
  return field.subarray(0, end === -1 ? length : end).toString();
};
const octalOf = (block: Buffer, from: number, length: number): number =>
  Number.parseInt(textOf(block, from, length).trim() || "0", 8);

/** A reader for the tar that engines write: ustar with pax records for long names. */
export function readTar(tar: Buffer): LayerFile[] {
  const files: LayerFile[] = [];
  let longName: string | undefined;
  for (let at = 0; at + 512 <= tar.length; ) {
    const block = tar.subarray(at, at + 512);
    if (block[0] === 0) break;
    const size = octalOf(block, 124, 12);
    const body = tar.subarray(at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
    const type = textOf(block, 156, 1) || "0";
    if (type === "x") {
      longName = /\d+ path=([^\n]*)\n/.exec(body.toString())?.[1];
      continue;
    }
    if (type === "L") {
      longName = textOf(body, 0, body.length);
      continue;
    }
    const prefix = textOf(block, 345, 155);
    const name = textOf(block, 0, 100);
    const path = (longName ?? (prefix === "" ? name : `${prefix}/${name}`))
      .replace(/^\.?\//, "")
      .replace(/\/$/, "");
    longName = undefined;
    files.push({
      path,
      type,
      mode: (octalOf(block, 100, 8) & 0o7777).toString(8),
      owner: `${octalOf(block, 108, 8)}:${octalOf(block, 116, 8)}`,
      modified: octalOf(block, 136, 12),
      size,
      sha256: createHash("sha256")
        .update(type === "2" ? textOf(block, 157, 100) : body)
        .digest("hex"),
    });
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

export async function imageLayers(engine: Pick<Engine, "docker">, tag: string): Promise<Layer[]> {
  const folder = temporaryFolder("layers");
  try {
    await engine.docker(["save", "--output", join(folder, "image.tar"), tag]);
    await run("tar", ["-xf", "image.tar"], { cwd: folder });
    const [manifest] = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as {
      Layers: string[];
    }[];
    return (manifest?.Layers ?? []).map((name) => {
      const files = readTar(readFileSync(join(folder, name)));
      return { size: files.reduce((sum, file) => sum + file.size, 0), files };
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The largest folders or files one or two levels down: what a person wants to know of a layer. */
export function largest(layer: Layer, count: number): string[] {
  const sums = new Map<string, number>();
  for (const file of layer.files) {
    const parts = file.path.split("/");
    const key = parts.slice(0, parts[1] === "node_modules" ? 3 : 2).join("/");
    sums.set(key, (sums.get(key) ?? 0) + file.size);
  }
  const sorted = [...sums].sort((a, b) => b[1] - a[1]).slice(0, count);
  return sorted.map(([key, size]) => `${(size / 1e6).toFixed(2)} MB ${key}`);
}

export function describeLayers(layers: readonly Layer[]): string {
  const total = layers.reduce((sum, layer) => sum + layer.size, 0);
  const lines = layers.map(
    (layer, index) =>
      `layer ${index + 1}: ${(layer.size / 1e6).toFixed(2)} MB, ${layer.files.length} entries (${largest(layer, 4).join("; ")})`,
  );
  return [...lines, `image: ${(total / 1e6).toFixed(2)} MB in ${layers.length} layers`].join("\n");
}

/** Where two images differ, as text; empty when every file is the same in bytes, mode, owner and date. */
export function differences(one: readonly Layer[], other: readonly Layer[]): string[] {
  const flat = (layers: readonly Layer[]) =>
    new Map(
      layers.flatMap((layer, index) =>
        layer.files.map((file) => [`${index + 1}:${file.path}`, JSON.stringify(file)]),
      ),
    );
  const a = flat(one);
  const b = flat(other);
  return [...new Set([...a.keys(), ...b.keys()])]
    .filter((key) => a.get(key) !== b.get(key))
    .map((key) => `${key}\n  ${a.get(key) ?? "absent"}\n  ${b.get(key) ?? "absent"}`);
}
