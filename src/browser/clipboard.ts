import { announce } from "./dom.ts";

const isApple = /Mac|iPhone|iPad/.test(navigator.platform);

/**
 * Copies, and says so on the button only once it has happened. Where the browser won't, the text is
 * selected, the button says which keys to press, and it resolves with false.
 */
export async function copy(button: HTMLButtonElement, text: string, shownIn: HTMLElement): Promise<boolean> {
  button.dataset.words ??= button.textContent ?? "";
  const copied = await navigator.clipboard?.writeText(text).then(
    () => true,
    () => false,
  );
  if (!copied) select(shownIn);
  const words = copied ? "Copied" : `Press ${isApple ? "⌘C" : "Ctrl+C"}`;
  button.textContent = words;
  announce(words);
  clearTimeout(Number(button.dataset.timer));
  const back = () => {
    button.textContent = button.dataset.words ?? "";
  };
  button.dataset.timer = String(setTimeout(back, copied ? 2_000 : 10_000));
  return copied === true;
}

export function select(shown: HTMLElement): void {
  if (shown instanceof HTMLTextAreaElement) {
    shown.focus();
    shown.select();
    return;
  }
  getSelection()?.selectAllChildren(shown);
}
