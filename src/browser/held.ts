import { element, fill, show } from "./dom.ts";

/** Milliseconds. */
const redeliveryWindow = () => Number(document.documentElement.dataset.window) * 1_000;
let timer = 0;

/** Milliseconds for which a claim that was made at `since` may still be asked for again. */
export function heldFor(since: number): number {
  return since + redeliveryWindow() - Date.now();
}

/** "It is held for this tab for n seconds", counting down; afterwards, that it may be gone. */
export function showHeld(since: number): void {
  const screen = show("held");
  clearInterval(timer);
  const tick = () => {
    const seconds = Math.ceil(heldFor(since) / 1_000);
    fill(screen, { seconds: Math.max(0, seconds) });
    element("held-for", HTMLElement).hidden = seconds <= 0;
    element("held-over", HTMLElement).hidden = seconds > 0;
    if (seconds <= 0 || screen.hidden) clearInterval(timer);
  };
  timer = window.setInterval(tick, 1_000);
  tick();
}
