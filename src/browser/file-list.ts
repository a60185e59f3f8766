/** The files that were added to a secret, as a list from which they can be removed again. */
export interface FileList {
  readonly files: readonly File[];
  add(files: readonly File[]): void;
  clear(): void;
}

/** Handed over for the same reason as in upload.ts. */
export interface FileListTools {
  readonly list: HTMLElement;
  /** Where focus goes when the last one was removed. */
  readonly button: HTMLElement;
  readonly formatBytes: (bytes: number) => string;
  readonly announce: (words: string) => void;
}

const count = (files: number) => (files === 1 ? "1 file" : `${files} files`);

export function createFileList({ list, button, formatBytes, announce }: FileListTools): FileList {
  const files: File[] = [];

  function item(file: File): HTMLLIElement {
    const row = document.createElement("li");
    const name = document.createElement("span");
    name.className = "name";
    // Inside, so that a name in Hebrew reads from the right and still begins where the others do.
    name.append(document.createElement("bdi"));
    name.firstElementChild?.append(file.name);
    const size = document.createElement("span");
    size.className = "hint";
    size.textContent = formatBytes(file.size);
    const remove = document.createElement("button");
    remove.type = "button";
    remove.textContent = "Remove";
    remove.setAttribute("aria-label", `Remove ${file.name}`);
    remove.onclick = () => {
      files.splice(files.indexOf(file), 1);
      const neighbour = row.nextElementSibling ?? row.previousElementSibling;
      row.remove();
      list.hidden = files.length === 0;
      (neighbour?.querySelector("button") ?? button).focus();
      announce(`${file.name} removed. ${count(files.length)} left.`);
    };
    row.append(name, size, remove);
    return row;
  }

  return {
    files,
    add(added) {
      files.push(...added);
      list.append(...added.map(item));
      list.hidden = files.length === 0;
      announce(`${count(added.length)} added.`);
    },
    clear() {
      files.length = 0;
      list.replaceChildren();
      list.hidden = true;
    },
  };
}
