import { element } from "./dom.ts";
import {
  forgetLink,
  isRemembering,
  type MyLink,
  readLinks,
  rememberLink,
  setRemembering,
  watchLinks,
} from "./my-links.ts";

let look = (): void => undefined;
watchLinks(() => look());

/** "Remember this link in this browser": ticked once, it holds for the links to come as well. */
export function showRemember({
  receiptFragment,
  expiresAt,
}: Pick<MyLink, "receiptFragment" | "expiresAt">): void {
  const box = element("remember", HTMLInputElement);
  const label = element("remember-label", HTMLInputElement);
  const more = element("remember-more", HTMLElement);
  const note = element("remember-note", HTMLElement);

  function keep(): void {
    box.checked = rememberLink({ label: label.value, receiptFragment, expiresAt });
    more.hidden = !box.checked;
    const refused =
      "Your browser keeps nothing here: its storage is off or full, or this is a private window.";
    note.textContent = box.checked ? "Remembered." : refused;
  }

  const kept = () => readLinks().find((link) => link.receiptFragment === receiptFragment);
  look = () => {
    if (!box.checked || kept()) return;
    box.checked = false;
    more.hidden = true;
    note.textContent = "Forgotten in another tab.";
  };
  label.value = kept()?.label ?? "";
  label.oninput = keep;
  box.checked = isRemembering();
  more.hidden = true;
  note.textContent = "";
  if (box.checked) keep();
  box.onchange = () => {
    if (box.checked) {
      setRemembering(true);
      keep();
      return;
    }
    more.hidden = true;
    const forgotten = setRemembering(false) && forgetLink(receiptFragment);
    note.textContent = forgotten
      ? "Forgotten. New links aren't remembered."
      : "Your browser didn't let go of it.";
  };
}
