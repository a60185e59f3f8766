import type { Bytes } from "../envelope/bytes.ts";

/** Pictures that a page may show: formats of pixels only. SVG can hold script and links, so never that. */
export type ImageType = "image/png" | "image/jpeg" | "image/gif" | "image/webp" | "image/avif";

const EXTENSIONS: Readonly<Record<string, ImageType>> = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
  avif: "image/avif",
};

const text = (bytes: Bytes, start: number, end: number) => String.fromCharCode(...bytes.subarray(start, end));

/** By magic number, as the browsers tell them (WHATWG, "MIME Sniffing", section 6.1). */
function typeOfBytes(start: Bytes): ImageType | undefined {
  if (text(start, 0, 8) === "\x89PNG\r\n\x1a\n") return "image/png";
  if (text(start, 0, 3) === "\xff\xd8\xff") return "image/jpeg";
  if (/^GIF8[79]a/.test(text(start, 0, 6))) return "image/gif";
  if (text(start, 0, 4) === "RIFF" && text(start, 8, 14) === "WEBPVP") return "image/webp";
  // An ISO base media file whose major or first compatible brands say AVIF (AVIF 1.1, section 8). The
  // minor version stands between them.
  const brands = text(start, 8, 12) + text(start, 16, 32);
  if (text(start, 4, 8) === "ftyp" && /^(?:.{4})*?avi[fs]/s.test(brands)) return "image/avif";
  return undefined;
}

/**
 * What a file is shown as: where its bytes are a picture of the very kind that its type, or without one
 * its name, says. Undefined for everything else.
 */
export function imageType(
  { name = "", type = "" }: { readonly name?: string; readonly type?: string },
  start: Bytes,
): ImageType | undefined {
  const said = type || EXTENSIONS[name.split(".").at(-1)?.toLowerCase() ?? ""];
  const found = typeOfBytes(start);
  return found === said ? found : undefined;
}
