import { formatBytes } from "../envelope/size-words.ts";
import { announce, element } from "./dom.ts";
import type { FileList } from "./file-list.ts";

export interface AddedFiles {
  readonly chosen: () => readonly File[];
  clear(): void;
}

interface Options {
  /** False while the page shows something else than the form. */
  readonly isOpen: () => boolean;
  /** What to say against this many files; nothing is added then. */
  readonly tooMany: (count: number) => string | undefined;
  readonly onProblem: (words: string | undefined) => void;
}

const hasFiles = ({ dataTransfer }: DragEvent) => dataTransfer?.types.includes("Files") === true;

/**
 * Some file managers put a copied file's name or path beside it as text. Any other text is what was
 * meant: a spreadsheet's cells come with a picture of themselves.
 */
function onlyNames(text: string, files: readonly File[]): boolean {
  const names = new Set(files.map(({ name }) => name));
  return text.split(/\r?\n/).every((line) => names.has(line.split(/[/\\]/).at(-1) ?? ""));
}

/** Files by button, by drop anywhere on the page, and by paste. */
export function watchFiles({ isOpen, tooMany, onProblem }: Options): AddedFiles {
  const button = element("add-files", HTMLButtonElement);
  const input = element("file-input", HTMLInputElement);
  let loading: Promise<FileList> | undefined;
  let list: FileList | undefined;

  async function load(): Promise<FileList> {
    const { createFileList } = await import("./file-list.ts");
    return createFileList({ list: element("files", HTMLElement), button, formatBytes, announce });
  }

  async function add(files: readonly File[]): Promise<void> {
    try {
      loading ??= load();
      list = await loading;
    } catch {
      loading = undefined;
      onProblem("The code for files couldn't be loaded. Nothing was added. Try again.");
      return;
    }
    const problem = tooMany(list.files.length + files.length);
    if (!problem) list.add(files);
    onProblem(problem);
  }

  button.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    const files = [...(input.files ?? [])];
    input.value = ""; // so that the same file can be chosen again after it was removed
    if (files.length > 0) void add(files);
  });

  const setDropping = (dropping: boolean) => document.documentElement.toggleAttribute("data-drop", dropping);
  addEventListener("dragover", (event) => {
    if (!hasFiles(event) || !event.dataTransfer) return;
    // Always, for the browser would leave the page and show the file, also where none is wanted.
    event.preventDefault();
    event.dataTransfer.dropEffect = isOpen() ? "copy" : "none";
    setDropping(isOpen());
  });
  addEventListener("dragleave", ({ relatedTarget }) => {
    if (!relatedTarget) setDropping(false);
  });
  addEventListener("drop", (event) => {
    setDropping(false);
    if (!hasFiles(event) || !event.dataTransfer) return;
    event.preventDefault();
    if (!isOpen()) return;
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry());
    if (entries.some((entry) => entry?.isDirectory)) {
      onProblem("A folder can't be added. Zip it, then add the zip file.");
    } else {
      void add([...event.dataTransfer.files]);
    }
  });

  addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (files.length === 0 || !isOpen() || (text !== "" && !onlyNames(text, files))) return;
    event.preventDefault();
    void add(files);
  });

  return {
    chosen: () => [...(list?.files ?? [])],
    clear: () => list?.clear(),
  };
}
