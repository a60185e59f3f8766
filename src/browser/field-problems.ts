import { ApiProblem } from "./api.ts";
import { clearProblem, element, showProblem } from "./dom.ts";

export interface FieldProblem {
  readonly field: HTMLElement;
  readonly words: string;
}

/** Empties the summary and what stands beside the fields. */
export function clearProblems(): void {
  clearProblem();
  for (const also of document.querySelectorAll("#problem p + p")) also.remove();
  for (const note of document.querySelectorAll<HTMLElement>(".field-problem")) {
    note.hidden = true;
    note.textContent = "";
  }
}

/** All of them in the summary, which is focused, and each beside its field too where that has a place for it. */
export function showProblems(problems: readonly FieldProblem[]): void {
  clearProblems();
  // From the last: the summary's own link leads to the first in the end, with its clones below.
  for (const [i, { field, words }] of [...problems.entries()].reverse()) {
    const details = field.closest("details");
    if (details) details.open = true;
    const note = document.getElementById(`${field.id}-problem`);
    if (note) {
      note.textContent = words;
      note.hidden = false;
    }
    showProblem(words, field);
    if (i > 0) cloneFirst(field);
  }
}

function cloneFirst(field: HTMLElement): void {
  const first = element("problem-link", HTMLAnchorElement).parentElement;
  const clone = first?.cloneNode(true) as HTMLElement;
  const link = clone.querySelector("a");
  link?.removeAttribute("id");
  link?.addEventListener("click", (event) => {
    event.preventDefault();
    field.focus();
  });
  first?.after(clone);
}

/** What the server found wrong, beside the fields that it is about: "rules.networks.0" is about rules.networks. */
export function problemsOf(error: unknown): FieldProblem[] {
  const errors = error instanceof ApiProblem ? error.body.errors : undefined;
  return (errors ?? []).flatMap(({ field: name, message }) => {
    for (let known = name; known; known = known.slice(0, Math.max(0, known.lastIndexOf(".")))) {
      const field = document.querySelector<HTMLElement>(`[data-field="${CSS.escape(known)}"]`);
      if (field) return [{ field, words: message }];
    }
    return [];
  });
}
