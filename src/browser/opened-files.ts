import { distinctFileNames } from "../envelope/file-name.ts";
import { formatBytes } from "../envelope/size-words.ts";
import type { OpenedPart } from "./contents.ts";
import { announce, element, press } from "./dom.ts";
import { type ImageType, imageType } from "./image-type.ts";
import { gatherBlob, type Saveable, save } from "./saving.ts";

/** Bytes of a picture that a page shows at most. */
const MAX_PREVIEW = 20 << 20;

const urls = new Set<string>();

function showFailure(words: string): void {
  const problem = element("files-problem", HTMLElement);
  problem.textContent = words;
  problem.hidden = false;
  problem.focus();
}

/** The code for zip files isn't there. */
class ZipLoadError extends Error {
  override readonly name = "ZipLoadError";
}

/** A button that saves, says how far it is, and says so where it fails: the file is still here then. */
function saveWith(button: HTMLButtonElement, size: number, what: () => Saveable | Promise<Saveable>): void {
  button.onclick = async () => {
    let written = "";
    await press(button, "Saving…", async (progress) => {
      element("files-problem", HTMLElement).hidden = true;
      let tenths = 0;
      const tell = (bytes: number) => {
        const now = Math.floor((bytes / Math.max(size, 1)) * 10);
        if (now > tenths && now < 10) progress(`Saving ${now * 10}%`);
        tenths = now;
      };
      try {
        const saveable = await what();
        if ((await save(saveable, tell)) === "written") written = saveable.name;
      } catch (error) {
        showFailure(
          error instanceof ZipLoadError
            ? "The code for zip files couldn't be loaded. Save the files one by one."
            : "It couldn't be saved. It is still here: is there room on the disk? Try again.",
        );
      }
    });
    if (written === "") return; // A browser shows its own downloads.
    button.textContent = "Saved";
    announce(`${written} saved`);
  };
}

/**
 * Called by what it says at the moment and by the file ("Saving 40% notes.zip"): speech input presses a
 * button by the words that are seen (WCAG 2.5.3).
 */
function createButton(words: string, name: HTMLElement): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = words;
  button.id = `${words.toLowerCase()}-${name.id}`;
  button.setAttribute("aria-labelledby", `${button.id} ${name.id}`);
  return button;
}

function previewButton(
  part: OpenedPart,
  name: HTMLElement,
  type: ImageType,
  row: HTMLElement,
): HTMLButtonElement {
  const button = createButton("Preview", name);
  button.setAttribute("aria-expanded", "false");
  const image = document.createElement("img");
  image.alt = name.textContent;
  image.hidden = true;
  row.append(image);
  button.onclick = () =>
    press(button, "Preview", async () => {
      try {
        if (!image.src) {
          const url = URL.createObjectURL(await gatherBlob(part.read(), type));
          urls.add(url);
          image.src = url;
        }
        await image.decode();
        image.hidden = !image.hidden;
        button.setAttribute("aria-expanded", String(!image.hidden));
      } catch {
        image.remove();
        button.remove();
        showFailure("This picture can't be shown. Save it instead.");
      }
    });
  return button;
}

function fileRow(part: OpenedPart, name: string, index: number): HTMLLIElement {
  const row = document.createElement("li");
  const shownName = document.createElement("span");
  shownName.className = "name";
  const ownName = document.createElement("bdi");
  ownName.id = `file-${index}`;
  ownName.append(name);
  shownName.append(ownName);
  const size = document.createElement("span");
  size.className = "hint";
  size.textContent = formatBytes(part.size);
  const saveButton = createButton("Save", ownName);
  saveWith(saveButton, part.size, () => ({ name, pieces: part.read }));
  row.append(shownName, size, saveButton);
  const type = part.size <= MAX_PREVIEW ? imageType(part, part.start) : undefined;
  if (type) saveButton.before(previewButton(part, ownName, type, row));
  return row;
}

/** All files in one, written as it is saved; the code for it comes when it is asked for. */
async function zip(parts: readonly OpenedPart[], names: readonly string[]): Promise<Saveable> {
  const { makeZip } = await import("client-zip").catch(() => {
    throw new ZipLoadError();
  });
  return {
    name: "secret.zip",
    async *pieces() {
      const entries = parts.map(({ read, size }, i) => ({ name: names[i], size, input: read() }));
      const reader = makeZip(entries).getReader();
      try {
        for (let next = await reader.read(); !next.done; next = await reader.read()) {
          yield next.value as Uint8Array<ArrayBuffer>;
        }
      } finally {
        await reader.cancel().catch(() => undefined);
      }
    },
  };
}

/** Lists what can be saved. Nothing that this needs is loaded after the hand-over, but the zip writer. */
export function showFiles(parts: readonly OpenedPart[]): void {
  const names = distinctFileNames(parts.map(({ kind, name }) => (kind === "text" ? "secret.txt" : name)));
  const list = element("files", HTMLElement);
  list.replaceChildren(...parts.map((part, i) => fileRow(part, names[i] ?? "", i)));
  element("opened-files", HTMLElement).hidden = parts.length === 0;
  element("files-problem", HTMLElement).hidden = true;
  const saveAll = element("save-all", HTMLButtonElement);
  saveAll.hidden = parts.length < 2;
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  saveWith(saveAll, size, () => zip(parts, names));
}

export function clearFiles(): void {
  element("files", HTMLElement).replaceChildren();
  element("save-all", HTMLButtonElement).onclick = null;
  for (const url of urls) URL.revokeObjectURL(url);
  urls.clear();
}
