import type { PartDescription } from "../envelope/parts.ts";
import { copy, select } from "./clipboard.ts";
import { element, show } from "./dom.ts";

/** One thing that came out of the envelope, whole and authenticated. */
export interface OpenedPart extends PartDescription {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

// Lenient on purpose: a text with a stray byte is shown with a mark in its place, never withheld.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

const COVERED = "••••••••";

function save(bytes: Uint8Array<ArrayBuffer>, name: string): void {
  // The type is always plain bytes: a file from a stranger is saved, never shown.
  const url = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

function textBlock(text: string): HTMLPreElement {
  const block = document.createElement("pre");
  block.className = "secret";
  block.tabIndex = 0;
  block.setAttribute("role", "region");
  block.setAttribute("aria-label", "Secret");
  block.textContent = text;
  return block;
}

function fileButton(part: OpenedPart): HTMLParagraphElement {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = `Save ${part.name ?? "file"}`;
  button.onclick = () => save(part.bytes, part.name ?? "file");
  const paragraph = document.createElement("p");
  paragraph.append(button);
  return paragraph;
}

/** Shows the secret. The caller wipes it with `clearOpened` when the page is left. */
export function showOpened(parts: readonly OpenedPart[]): void {
  const texts = parts.filter(({ kind }) => kind === "text");
  const blocks = texts.map(({ bytes }) => textBlock(decoder.decode(bytes)));
  const files = parts.filter(({ kind }) => kind === "file").map(fileButton);
  const place = element("parts", HTMLElement);
  place.replaceChildren(...blocks, ...files);
  show("opened");

  const whole = blocks.map((block) => block.textContent ?? "").join("\n");
  const copyButton = element("copy", HTMLButtonElement);
  const saveButton = element("save", HTMLButtonElement);
  const hideButton = element("hide", HTMLButtonElement);
  for (const button of [copyButton, saveButton, hideButton]) button.hidden = blocks.length === 0;

  const setHidden = (hidden: boolean) => {
    hideButton.textContent = hidden ? "Show" : "Hide";
    blocks.forEach((block, i) => {
      block.textContent = hidden ? COVERED : decoder.decode(texts[i]?.bytes ?? new Uint8Array(0));
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
  saveButton.onclick = () => save(new TextEncoder().encode(whole), "secret.txt");
}

/** Removes the secret from the page and from the buttons that could give it out. */
export function clearOpened(): void {
  element("parts", HTMLElement).replaceChildren();
  for (const id of ["copy", "save", "hide"]) element(id, HTMLButtonElement).onclick = null;
}
