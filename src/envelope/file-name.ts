/**
 * A sender's file names, made fit to be shown and to be saved under. They come from a stranger: a path
 * would leave the folder, a bidi override (U+202E) shows "annexe.txt" where "ann", the override and "txt.exe" stand, and Windows
 * opens a device where it reads CON.
 */

/** UTF-8 bytes: below every file system's 255, with room for " (100)" and a browser's ".crdownload". */
const MAX_BYTES = 200;
const MAX_EXTENSION_BYTES = 32;

/** For what has no name, or none that is left. */
export const NAMELESS = "file";

/**
 * What shows nothing or turns the line around: control characters, lone surrogates, separators of lines,
 * and marks of direction. Zero-width joiners stay: Persian and emoji are written with them.
 */
const INVISIBLE =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u{ad}\u{61c}\u{180e}\u{200b}\u{200e}\u{200f}\u{202a}-\u{202e}\u{2060}-\u{206f}\u{2800}\u{3164}\u{feff}\u{ffa0}\u{fff9}-\u{fffb}\u{e0000}-\u{e007f}]/gu;
/** Not allowed in names on Windows ("Naming Files, Paths, and Namespaces"). */
const FORBIDDEN = /[<>:"|?*]/g;
/** Devices on Windows, whatever the extension, superscript digits included (same page). */
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])\s*(?:\.|$)/iu;

const encoder = new TextEncoder();
const byteLength = (text: string) => encoder.encode(text).length;

/** Where the extension begins, its dot included; a leading dot begins the name of a hidden file instead. */
function extensionAt(name: string): number {
  const dot = name.lastIndexOf(".");
  return dot > 0 && byteLength(name.slice(dot)) <= MAX_EXTENSION_BYTES ? dot : name.length;
}

/** Cut between characters as people see them, where the engine knows them (Firefox since 125). */
function characters(text: string): string[] {
  if (!("Segmenter" in Intl)) return [...text];
  return [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment);
}

function cutToBytes(text: string, most: number): string {
  let kept = "";
  let length = 0;
  for (const character of characters(text)) {
    length += byteLength(character);
    if (length > most) break;
    kept += character;
  }
  return kept;
}

function shorten(name: string): string {
  if (byteLength(name) <= MAX_BYTES) return name;
  const at = extensionAt(name);
  const extension = name.slice(at);
  return cutToBytes(name.slice(0, at), MAX_BYTES - byteLength(extension)).trimEnd() + extension;
}

/** Never empty, never a path, the same again when it is given its own result. */
export function safeFileName(name: string | undefined): string {
  const plain = (name ?? "")
    .replace(INVISIBLE, "")
    .split(/[/\\]/)
    .findLast((step) => step.trim() !== "")
    ?.replace(FORBIDDEN, "_")
    // A long run of blanks pushes the real extension out of sight.
    .replace(/[\s\p{Zs}]+/gu, " ");
  const trimmed = (plain ?? "").trimStart();
  const kept = shorten(DEVICE.test(trimmed) ? `_${trimmed}` : trimmed).replace(/[. ]+$/, "");
  return kept === "" ? NAMELESS : kept;
}

/**
 * Safe names of which no two are one file, not even where upper and lower case are the same. Each name
 * remembers its next number: a stranger chose the names, and counting up from 2 for each of 8,000 equal
 * ones took 21 seconds.
 */
export function distinctFileNames(names: readonly (string | undefined)[]): string[] {
  const taken = new Set<string>();
  const nextTurns = new Map<string, number>();
  const folded = (name: string) => name.normalize("NFC").toLowerCase();
  return names.map((given) => {
    const name = safeFileName(given);
    const at = extensionAt(name);
    const base = folded(name);
    let distinct = name;
    let turn = nextTurns.get(base) ?? 2;
    while (taken.has(folded(distinct))) {
      distinct = `${name.slice(0, at)} (${turn})${name.slice(at)}`;
      turn += 1;
    }
    nextTurns.set(base, turn);
    taken.add(folded(distinct));
    return distinct;
  });
}
