import { UnsealableError } from "../envelope/errors.ts";
import type { Part } from "../envelope/parts.ts";

async function* readFile(file: File): AsyncGenerator<Uint8Array, void, void> {
  // Not `for await`: Safari can't iterate over a stream.
  const reader = file.stream().getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch {
    // Moved, changed or unplugged since it was chosen.
    throw new UnsealableError(`${file.name} can't be read any more. Add it again.`);
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** A file as it goes into the envelope, read as it is asked for. */
export function filePart(file: File): Part {
  const { name, type, size } = file;
  return { kind: "file", name, ...(type === "" ? {} : { type }), size, content: readFile(file) };
}
