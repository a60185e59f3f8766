import { copy, select } from "./clipboard.ts";
import type { OpenedPart } from "./contents.ts";
import { element, show } from "./dom.ts";
import { clearFiles, showFiles } from "./opened-files.ts";
import { saveBlob } from "./saving.ts";

// Lenient on purpose: a text with a stray byte is shown with a mark in its place, never withheld.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

const COVERED = "••••••••";

function textBlock(text: string): HTMLPreElement {
  const block = document.createElement("pre");
  block.className = "secret";
  block.tabIndex = 0;
  block.setAttribute("role", "region");
  block.setAttribute("aria-label", "Secret");
  block.textContent = text;
  return block;
}

/** A text that is too long for a page is saved as a file. */
const isShown = ({ kind, start, size }: OpenedPart) => kind === "text" && start.length === size;

/** Shows the secret. The caller wipes it with `clearOpened` when the page is left. */
export function showOpened(parts: readonly OpenedPart[]): void {
  const texts = parts.filter(isShown);
  const blocks = texts.map(({ start }) => textBlock(decoder.decode(start)));
  const place = element("parts", HTMLElement);
  place.replaceChildren(...blocks);
  showFiles(parts.filter((part) => !isShown(part)));
  show("opened");

  const whole = blocks.map((block) => block.textContent ?? "").join("\n");
  const copyButton = element("copy", HTMLButtonElement);
  const saveButton = element("save", HTMLButtonElement);
  const hideButton = element("hide", HTMLButtonElement);
  for (const button of [copyButton, saveButton, hideButton]) button.hidden = blocks.length === 0;

  const setHidden = (hidden: boolean) => {
    hideButton.textContent = hidden ? "Show" : "Hide";
    blocks.forEach((block, i) => {
      block.textContent = hidden ? COVERED : decoder.decode(texts[i]?.start ?? new Uint8Array(0));
    });
  };
  let hidden = false;
  hideButton.onclick = () => {
    hidden = !hidden;
    setHidden(hidden);
  };
  copyButton.onclick = async () => {
    if ((await copy(copyButton, whole, place)) || !hidden) return;
    // What is selected for Ctrl+C must be the secret, not what covers it.
    hideButton.click();
    select(place);
  };
  saveButton.onclick = () => saveBlob(new Blob([whole], { type: "application/octet-stream" }), "secret.txt");
}

/** Removes the secret from the page and from the buttons that could give it out. */
export function clearOpened(): void {
  element("parts", HTMLElement).replaceChildren();
  clearFiles();
  for (const id of ["copy", "save", "hide"]) element(id, HTMLButtonElement).onclick = null;
}
