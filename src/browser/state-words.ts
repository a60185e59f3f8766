import type { ReceiptView } from "./api.ts";

interface Told {
  readonly heading: string;
  /** What the seal looks like: as `data-seal`. */
  readonly seal: string;
  readonly summary: string;
}

/** The words that the server has put into the page. */
function wordsFor(list: "state-words" | "event-words", name: string): HTMLElement | null {
  return document.querySelector<HTMLElement>(`#${list} > [data-name="${CSS.escape(name)}"]`);
}

export function eventWords(kind: string): string {
  return wordsFor("event-words", kind)?.textContent ?? kind;
}

/**
 * A secret's state in the sender's words. An upload that was given up ends as expired, though it never was a
 * secret that somebody could open.
 */
export function stateWords({ state, events }: Pick<ReceiptView, "state" | "events">): Told {
  const wasSealed = events.some(({ kind }) => kind === "sealed");
  const name = state === "expired" && !wasSealed ? "abandoned" : state;
  const words = wordsFor("state-words", name);
  const { heading = state, seal = "expired" } = words?.dataset ?? {};
  return { heading, seal, summary: words?.textContent ?? "" };
}
