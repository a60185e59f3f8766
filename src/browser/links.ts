import { announce, element, fill, press } from "./dom.ts";
import { createLinkRow, type LinkRow } from "./link-row.ts";
import { createLinkStates } from "./link-states.ts";
import { canRemember, forgetAllLinks, forgetLink, type MyLink, readLinks, watchLinks } from "./my-links.ts";
import { onLeave, startPage } from "./start-page.ts";

function startLinks(): void {
  const list = element("links", HTMLUListElement);
  const forgotten = element("forgotten", HTMLElement);
  const lookButton = element("look", HTMLButtonElement);
  const rows = new Map<string, LinkRow>();
  const states = createLinkStates((link) => rows.get(link.receiptFragment)?.update(link, states.of(link)));
  let looking: Promise<void> | undefined;
  let next: { readonly all: boolean } | undefined;

  function forget(link: MyLink): void {
    const item = rows.get(link.receiptFragment)?.item;
    const neighbour = item?.nextElementSibling ?? item?.previousElementSibling;
    if (!forgetLink(link.receiptFragment)) {
      say("Your browser didn't let go of it. Try again.");
      return;
    }
    render();
    const focused = (neighbour ?? document).querySelector<HTMLElement>(neighbour ? "a" : "h1");
    focused?.focus();
    announce("The link is forgotten.");
  }

  function say(words: string): void {
    forgotten.textContent = words;
    forgotten.hidden = false;
    forgotten.focus();
  }

  /** Brings the list up to date. What is there already stays in its place, and keeps the focus. */
  function render(): MyLink[] {
    const links = readLinks();
    const kept = new Set(links.map(({ receiptFragment }) => receiptFragment));
    for (const [fragment, row] of rows) {
      if (kept.has(fragment)) continue;
      row.item.remove();
      rows.delete(fragment);
    }
    links.forEach((link, at) => {
      const acts = { forget: () => forget(link), lookAt: () => states.lookAt(link).catch(() => undefined) };
      const row = rows.get(link.receiptFragment) ?? createLinkRow(link, acts);
      rows.set(link.receiptFragment, row);
      row.update(link, states.of(link));
      if (list.children[at] !== row.item) list.insertBefore(row.item, list.children[at] ?? null);
    });
    element("no-storage", HTMLElement).hidden = canRemember();
    element("no-links", HTMLElement).hidden = links.length > 0 || !canRemember();
    element("links-end", HTMLElement).hidden = links.length === 0;
    return links;
  }

  async function look(all: boolean): Promise<void> {
    const links = render();
    if (links.length === 0) return;
    const failure = await states.look(links, all);
    const problem = element("look-problem", HTMLElement);
    problem.textContent = failure ?? "";
    problem.hidden = !failure;
    if (failure) return;
    fill(document, { looked: new Date() });
    element("looked", HTMLElement).hidden = false;
  }

  async function lookWhileAsked(): Promise<void> {
    while (next) {
      const { all } = next;
      next = undefined;
      await look(all);
    }
  }

  /** One look at a time; what comes in between is looked at right after. */
  const refresh = (all = false) => {
    next = { all: all || next?.all === true };
    looking ??= lookWhileAsked().finally(() => {
      looking = undefined;
    });
    return looking;
  };

  element("forget-all", HTMLButtonElement).onclick = () => {
    const count = rows.size;
    if (!forgetAllLinks()) return say("Your browser didn't let go of them. Try again.");
    render();
    const what =
      count === 1
        ? "1 link is forgotten. Its secret stays as it is."
        : `${count} links are forgotten. Their secrets stay as they are.`;
    say(`${what} New links aren't remembered until you ask for it.`);
  };
  lookButton.onclick = () => press(lookButton, "Looking…", () => refresh(true));
  watchLinks(() => {
    render();
    void refresh();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") void refresh();
  });
  onLeave(
    () => undefined,
    () => void refresh(),
  );
  void refresh();
}

startPage("links", startLinks);
