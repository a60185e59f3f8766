/** The element with this id, of this kind. A missing one is a slip between a view and its script. */
export function element<E extends HTMLElement>(id: string, kind: new () => E): E {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`The page has no #${id}.`);
  return found;
}

const screens = () => document.querySelectorAll<HTMLElement>("[data-screen]");

/** Writes into the `data-fill` places of one screen. A Date also becomes the machine-readable time. */
export function fill(root: ParentNode, values: Readonly<Record<string, string | number | Date>>): void {
  for (const [name, value] of Object.entries(values)) {
    for (const place of root.querySelectorAll<HTMLElement>(`[data-fill="${name}"]`)) {
      place.textContent = value instanceof Date ? formatTime(value) : String(value);
      if (value instanceof Date && place instanceof HTMLTimeElement) place.dateTime = value.toISOString();
    }
  }
}

export function formatTime(time: Date): string {
  return time.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

/**
 * Shows one of the page's screens and hides the others. The seal takes the screen's state, and focus
 * moves to the new heading, so that a screen reader says where we are.
 */
export function show(name: string, values: Parameters<typeof fill>[1] = {}): HTMLElement {
  let shown: HTMLElement | undefined;
  for (const screen of screens()) {
    screen.hidden = screen.dataset.screen !== name;
    if (!screen.hidden) shown = screen;
  }
  if (!shown) throw new Error(`The page has no screen ${name}.`);
  fill(shown, values);
  if (shown.dataset.seal) setSeal(shown.dataset.seal);
  setTitle(shown.dataset.title ?? "");
  shown.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true });
  scrollTo(0, 0);
  return shown;
}

export function setTitle(title: string): void {
  document.title = `${title} · Waxseal`;
}

export function setSeal(state: string): void {
  document.getElementById("seal")?.setAttribute("data-seal", state);
}

export function setRim(path: string): void {
  document.getElementById("seal-rim")?.setAttribute("d", path);
}

/** Says something to screen readers without moving focus. */
export function announce(words: string): void {
  element("status", HTMLElement).textContent = words;
}

const resting = new WeakMap<HTMLButtonElement, string>();

/**
 * Runs `work` unless this button's last press is still under way. `working` is what the button says
 * meanwhile; it stays enabled, because a disabled button loses focus and explains nothing.
 */
export async function press(
  button: HTMLButtonElement,
  working: string,
  work: (progress: (words: string) => void) => Promise<void>,
): Promise<void> {
  if (button.getAttribute("aria-busy") === "true") return;
  const progress = (words: string) => {
    button.textContent = words;
    announce(words);
  };
  resting.set(button, resting.get(button) ?? button.textContent ?? "");
  button.setAttribute("aria-busy", "true");
  progress(working);
  try {
    await work(progress);
  } finally {
    button.removeAttribute("aria-busy");
    button.textContent = resting.get(button) ?? "";
    announce("");
  }
}

/** Shows the error summary, focuses it and marks the title; `field` is marked invalid too. */
export function showProblem(words: string, field: HTMLElement): void {
  const link = element("problem-link", HTMLAnchorElement);
  link.textContent = words;
  link.href = `#${field.id}`;
  // Followed by the browser, it would put its own "#…" into the address in place of the link's key.
  link.onclick = (event) => {
    event.preventDefault();
    field.focus();
  };
  field.setAttribute("aria-invalid", "true");
  const summary = element("problem", HTMLElement);
  summary.hidden = false;
  markTitle(true);
  summary.focus();
}

/** In a row of tabs and to a screen reader, the title is the first to say that something is wrong. */
export function markTitle(wrong: boolean): void {
  document.title = `${wrong ? "Error: " : ""}${document.title.replace(/^Error: /, "")}`;
}

export function clearProblem(): void {
  element("problem", HTMLElement).hidden = true;
  markTitle(false);
  for (const field of document.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
}
