import type { ApiProblem } from "./api.ts";
import { linksAsCsv, linksAsText } from "./link-list.ts";
import { saveBlob } from "./saving.ts";

/** One person's link, and what its sender may do with it. */
export interface MadeLink {
  readonly label: string;
  readonly link: string;
  /** The receipt's address. */
  readonly receipt: string;
  readonly receiptFragment: string;
  readonly receiptBearer: string;
  readonly expiresAt: Date;
}

/** Handed over for the same reason as in upload.ts. */
export type MadeLinksTools = Pick<
  typeof import("./dom.ts"),
  "announce" | "element" | "fill" | "formatTime" | "markTitle" | "press" | "setSeal" | "setTitle"
> &
  Pick<typeof import("./api.ts"), "deleteSecret" | "explain"> &
  Pick<typeof import("./clipboard.ts"), "copy">;

export interface MadeLinks {
  readonly made: () => readonly MadeLink[];
  add(link: MadeLink): void;
  /** The first that ends unopened, as far as is known. */
  readonly expires: () => Date | undefined;
  /** What went wrong; undefined: nothing. */
  showProblem(words: string | undefined): void;
  /** Takes all links off the screen, and from the buttons that give them out. */
  clear(): void;
}

interface Row {
  readonly made: MadeLink;
  readonly link: HTMLElement;
  readonly copyLink: HTMLElement;
  ended: boolean;
}

const ENDINGS: Readonly<Record<string, string>> = {
  opened: "Opened",
  expired: "Expired unopened",
  deleted: "Deleted",
  lost: "Lost by the server",
};

/** The table of links. `onDeleting`: none is to be made any more. */
export function createMadeLinks(
  screen: HTMLElement,
  tools: MadeLinksTools,
  onDeleting: () => void,
): MadeLinks {
  const { announce, copy, deleteSecret, element, explain, fill, formatTime } = tools;
  const { markTitle, press, setSeal, setTitle } = tools;
  const table = element("links", HTMLTableElement);
  const body = table.tBodies[0] ?? table.createTBody();
  const problem = element("made-problem", HTMLElement);
  const rows: Row[] = [];
  body.replaceChildren();

  function showProblem(failure: string | undefined): void {
    problem.hidden = failure === undefined;
    markTitle(failure !== undefined);
    if (failure === undefined) return;
    fill(screen, { failure });
    problem.focus();
  }

  function add(made: MadeLink): void {
    const row = body.insertRow();
    const name = document.createElement("th");
    name.scope = "row";
    // Inside, so that a name in Hebrew reads from the right and still begins where the others do.
    name.append(document.createElement("bdi"));
    name.firstElementChild?.append(made.label);
    const cell = row.insertCell();
    row.prepend(name);

    const link = document.createElement("code");
    link.textContent = made.link;
    link.dir = "ltr";
    const copyLink = document.createElement("button");
    copyLink.type = "button";
    copyLink.textContent = "Copy";
    copyLink.setAttribute("aria-label", `Copy the link for ${made.label}`);
    copyLink.onclick = () => copy(copyLink, made.link, link);
    const receipt = document.createElement("a");
    receipt.href = made.receipt;
    receipt.target = "_blank";
    receipt.rel = "noopener";
    receipt.textContent = "See what became of it";
    receipt.setAttribute("aria-label", `See what became of it: ${made.label}`);
    const actions = document.createElement("div");
    actions.className = "actions";
    actions.append(copyLink, receipt);
    cell.append(link, actions);
    rows.push({ made, link, copyLink, ended: false });
  }

  const live = () => rows.filter(({ ended }) => !ended);
  const links = () => live().map(({ made }) => made);

  const copyAll = element("copy-all", HTMLButtonElement);
  copyAll.onclick = () => copy(copyAll, linksAsText(links()), table);
  const saveCsv = element("save-csv", HTMLButtonElement);
  saveCsv.onclick = () => saveBlob(new Blob([linksAsCsv(links())], { type: "text/csv" }), "links.csv");

  function end(row: Row, words: string): void {
    row.ended = true;
    row.link.replaceWith(words);
    row.copyLink.remove();
  }

  /** Undefined: it is gone, whoever ended it. */
  async function remove(row: Row): Promise<unknown> {
    try {
      await deleteSecret(row.made.receiptBearer);
      end(row, "Deleted");
    } catch (error) {
      const { body } = error as Partial<ApiProblem>;
      if (body?.code === "not-found") end(row, "The server doesn't know it any more");
      if (body?.code === "ended")
        end(row, `${ENDINGS[body.state ?? ""] ?? "Ended"} ${formatTime(new Date(body.endedAt ?? ""))}`);
      if (!row.ended) return error;
    }
    return undefined;
  }

  const deleteAll = element("delete-all", HTMLButtonElement);
  deleteAll.onclick = () =>
    press(deleteAll, "Deleting…", async (progress) => {
      onDeleting();
      showProblem(undefined);
      let failure: unknown;
      const todo = live();
      for (const [i, row] of todo.entries()) {
        progress(`Deleting ${i + 1} of ${todo.length}…`);
        failure = (await remove(row)) ?? failure;
      }
      const left = live().length;
      if (left > 0) {
        const count = left === 1 ? "1 of them was" : `${left} of them were`;
        // Of one whose answer was lost nobody knows.
        return showProblem(explain(failure, `We can't tell whether ${count} deleted. Try again.`));
      }
      for (const part of screen.querySelectorAll<HTMLElement>("[data-live]")) part.hidden = true;
      fill(screen, { made: "None of the links opens any more" });
      setTitle("Deleted");
      setSeal("deleted");
      screen.querySelector<HTMLElement>("h1")?.focus();
      announce("");
    });

  return {
    made: () => rows.map(({ made }) => made),
    add,
    expires: () => rows.map(({ made }) => made.expiresAt).sort((a, b) => a.getTime() - b.getTime())[0],
    showProblem,
    clear() {
      rows.length = 0;
      body.replaceChildren();
      for (const button of [copyAll, saveCsv, deleteAll]) button.onclick = null;
    },
  };
}
