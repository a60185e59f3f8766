import { element } from "./dom.ts";

const ONE_LINE_AND_NEWLINE = /^[^\r\n]+\r?\n$/;

/**
 * A password copied from a terminal or a table often brings a line break along, which then fails at
 * a login. One line plus a newline loses it, is told so, and may have it back. Longer texts are never
 * touched. Typing isn't either: the break may be the start of a second line. Nor is leaving the field:
 * the note would move the button away from under the pointer that is pressing it.
 */
export function watchNewline(field: HTMLTextAreaElement) {
  const note = element("newline-note", HTMLElement);
  const keep = element("keep-newline", HTMLButtonElement);
  let kept = false;

  /** True where a newline was dropped now or is still reported as dropped. */
  function drop(): boolean {
    if (!kept && ONE_LINE_AND_NEWLINE.test(field.value)) {
      // Nothing but the break: spaces at the end may belong to a password.
      field.value = field.value.replace(/\r?\n$/, "");
      note.hidden = false;
    }
    return !note.hidden;
  }

  function forget(): void {
    kept = false;
    note.hidden = true;
  }

  field.addEventListener("paste", () => setTimeout(drop));
  field.addEventListener("input", () => {
    if (field.value === "") forget();
  });
  keep.addEventListener("click", () => {
    kept = true;
    note.hidden = true;
    field.value += "\n";
    field.focus();
  });

  return { drop, forget };
}
