import type { Bytes } from "../envelope/bytes.ts";

/** Something that can be saved: its bytes, made as they are asked for. */
export interface Saveable {
  readonly name: string;
  readonly pieces: () => AsyncIterable<Bytes>;
}

/** Bytes that the script gathers before the browser takes them. */
const PIECE = 4 << 20;
/** Whatever it is, it is saved and not shown: it comes from a stranger. */
const TYPE = "application/octet-stream";

export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** As a Blob of Blobs, which the browser may keep on disk. */
export async function gatherBlob(pieces: AsyncIterable<Bytes>, type: string): Promise<Blob> {
  const blobs: Blob[] = [];
  let gathered: Bytes[] = [];
  let length = 0;
  const flush = () => {
    blobs.push(new Blob(gathered));
    gathered = [];
    length = 0;
  };
  for await (const piece of pieces) {
    gathered.push(piece);
    length += piece.length;
    if (length >= PIECE) flush();
  }
  flush();
  return new Blob(blobs, { type });
}

/** Undefined where there is no picker, or an administrator's policy forbids it; throws what a person's "no" throws. */
async function pickTarget(name: string): Promise<FileSystemFileHandle | undefined> {
  try {
    return await window.showSaveFilePicker?.({ suggestedName: name });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    return undefined;
  }
}

/**
 * Straight into the file that the person chooses, where the browser can do that; otherwise as a
 * download. To be called from a click.
 */
export async function save(
  { name, pieces }: Saveable,
  progress: (bytes: number) => void,
): Promise<"written" | "downloaded" | "cancelled"> {
  async function* counted() {
    let done = 0;
    for await (const piece of pieces()) {
      yield piece;
      done += piece.length;
      progress(done);
    }
  }
  let target: FileSystemFileHandle | undefined;
  try {
    target = await pickTarget(name);
  } catch {
    return "cancelled";
  }
  if (!target) {
    saveBlob(await gatherBlob(counted(), TYPE), name);
    return "downloaded";
  }
  const file = await target.createWritable();
  try {
    for await (const piece of counted()) await file.write(piece);
    await file.close();
  } catch (error) {
    // What was written so far is dropped, and a file that stood there stays as it was.
    await file.abort().catch(() => undefined);
    throw error;
  }
  return "written";
}
