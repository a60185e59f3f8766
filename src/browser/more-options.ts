import { announce, element, formatTime } from "./dom.ts";
import { showProblems } from "./field-problems.ts";
import type { Options } from "./options.ts";
import { WorkerLoadError } from "./start-worker.ts";

const changed = (field: Element) =>
  field instanceof HTMLInputElement && field.type === "checkbox"
    ? field.checked !== field.defaultChecked
    : (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) &&
      field.value !== field.defaultValue;

const NOTHING = { chosen: { terms: {}, words: [], people: [] }, problems: [] };

/** "More options": its code is loaded when it is first opened, and nothing is made without what it says. */
export function watchOptions(): Options & { load(): Promise<void> } {
  const details = element("more", HTMLDetailsElement);
  let loading: Promise<void> | undefined;
  let options: Options | undefined;

  async function begin(): Promise<void> {
    const { createOptions } = await import("./options.ts");
    options = createOptions({ element, announce, formatTime, showProblems });
  }

  async function load(): Promise<void> {
    // A browser that gives a form its old values back may leave them behind closed doors.
    const untouched = !details.open && ![...details.querySelectorAll("input, textarea")].some(changed);
    if (!loading && untouched) return;
    loading ??= begin();
    await loading.catch(() => {
      loading = undefined;
      throw new WorkerLoadError("The code for more options couldn't be loaded. Nothing was sent. Try again.");
    });
  }

  details.addEventListener("toggle", () => {
    const note = element("more-problem", HTMLElement);
    note.hidden = true;
    load().catch(({ message }: Error) => {
      note.hidden = false;
      note.textContent = message;
    });
  });

  return {
    load,
    read: (ttl) => options?.read(ttl) ?? NOTHING,
    clear: () => options?.clear(),
  };
}
