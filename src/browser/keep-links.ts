import type { MadeLink } from "./made-links.ts";

/** Handed over for the same reason as in upload.ts. */
export type KeepTools = Pick<typeof import("./dom.ts"), "element"> &
  Pick<
    typeof import("./my-links.ts"),
    "forgetLink" | "isRemembering" | "readLinks" | "rememberLink" | "setRemembering" | "watchLinks"
  >;

let look: (() => void) | undefined;

/**
 * "Remember these links in this browser": what remember.ts does for one, with each person's name as its label.
 * `made`: those on the screen as it is asked, none once it was left.
 */
export function showKeep(
  made: () => readonly MadeLink[],
  { element, forgetLink, isRemembering, readLinks, rememberLink, setRemembering, watchLinks }: KeepTools,
): void {
  const box = element("remember-all", HTMLInputElement);
  const note = element("remember-all-note", HTMLElement);

  function keep(): void {
    // From the last, because the newest stands at the top of the list.
    box.checked = [...made()].reverse().every(rememberLink);
    note.textContent = box.checked
      ? "Remembered."
      : "Your browser keeps nothing here: its storage is off or full, or this is a private window.";
  }

  // Shown again, for the rest or for other people: what the screen before this one held is no matter then.
  if (!look) watchLinks(() => look?.());
  look = () => {
    const links = made();
    const kept = new Set(readLinks().map(({ receiptFragment }) => receiptFragment));
    if (!box.checked || links.length === 0) return;
    if (links.some(({ receiptFragment }) => kept.has(receiptFragment))) return;
    box.checked = false;
    note.textContent = "Forgotten in another tab.";
  };
  box.checked = isRemembering();
  note.textContent = "";
  if (box.checked) keep();
  box.onchange = () => {
    if (box.checked) {
      setRemembering(true);
      return keep();
    }
    const forgotten =
      setRemembering(false) && made().every(({ receiptFragment }) => forgetLink(receiptFragment));
    note.textContent = forgotten
      ? "Forgotten. New links aren't remembered."
      : "Your browser didn't let go of it.";
  };
}
