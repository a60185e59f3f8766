import { copy, select } from "./clipboard.ts";

/** One place in `screen`. A missing one is a slip between the view and this script. */
function part<E extends HTMLElement>(screen: HTMLElement, name: string, kind: new () => E): E {
  const found = screen.querySelector(`[data-step="${name}"]`);
  if (!(found instanceof kind)) throw new Error(`The screen has no step ${name}.`);
  return found;
}

let wipe = (): void => undefined;

/** Nothing of the last passphrase is left in the page. */
export function wipePassphrase(): void {
  wipe();
}

/**
 * Makes two steps of handing over link and passphrase, for two channels: whoever finds both in one
 * place can open the secret. Nothing copies both. Without a passphrase there are no steps.
 */
export function showPassphraseStep(screen: HTMLElement, given: string): void {
  wipe();
  const shown = part(screen, "passphrase", HTMLElement);
  const copyButton = part(screen, "copy", HTMLButtonElement);
  const showButton = part(screen, "show", HTMLButtonElement);
  const copied = part(screen, "passphrase-copied", HTMLElement);
  let passphrase = given;

  const reveal = (visible: boolean) => {
    shown.textContent = visible ? passphrase : "";
    shown.hidden = !visible;
    showButton.textContent = visible ? "Hide" : "Show";
    showButton.setAttribute("aria-expanded", String(visible));
  };
  wipe = () => {
    passphrase = "";
    reveal(false);
    copied.hidden = true;
    for (const step of screen.querySelectorAll<HTMLElement>("[data-with-passphrase]")) step.hidden = true;
  };

  reveal(false);
  for (const mark of screen.querySelectorAll<HTMLElement>("[data-step$=-copied]")) mark.hidden = true;
  for (const step of screen.querySelectorAll<HTMLElement>("[data-with-passphrase]"))
    step.hidden = passphrase === "";
  showButton.onclick = () => reveal(shown.hidden === true);
  copyButton.onclick = async () => {
    if (await copy(copyButton, passphrase, shown)) {
      copied.hidden = false;
      return;
    }
    // What the keys are to copy has to be there to be selected.
    reveal(true);
    select(shown);
  };
}

/** Marks the first step as done, once the link is on the clipboard. */
export function markLinkCopied(screen: HTMLElement): void {
  part(screen, "link-copied", HTMLElement).hidden = false;
}

addEventListener("pagehide", wipePassphrase);
