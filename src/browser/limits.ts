import { utf8 } from "../envelope/bytes.ts";
import { formatBytes } from "../envelope/size-words.ts";

const data = document.documentElement.dataset;
const maxBytes = Number(data.maxBytes);
export const maxFiles = Number(data.maxFiles);

const limit = () => `The limit is ${formatBytes(maxBytes)}.`;

export function tooManyFiles(count: number): string | undefined {
  return count > maxFiles ? `${count} files are too many. The limit is ${maxFiles}.` : undefined;
}

export function tooLarge(files: readonly File[]): string | undefined {
  const large = files.find(({ size }) => size > maxBytes);
  return large && `${large.name} is ${formatBytes(large.size)}. ${limit()}`;
}

/** What is wrong with what was entered, looked at before anything is encrypted. */
export function problemWith(text: string, files: readonly File[]): string | undefined {
  if (text === "" && files.length === 0)
    return maxFiles > 0 ? "Enter a secret or add a file" : "Enter a secret";
  const textSize = utf8(text).length;
  if (textSize > maxBytes) return `Your text is ${formatBytes(textSize)}. ${limit()}`;
  const size = files.reduce((sum, file) => sum + file.size, textSize);
  const tooMuch = size > maxBytes ? `Together this is ${formatBytes(size)}. ${limit()}` : undefined;
  return tooManyFiles(files.length) ?? tooLarge(files) ?? tooMuch;
}
