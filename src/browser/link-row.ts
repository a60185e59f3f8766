import { sealRim } from "../envelope/rim.ts";
import { parseReceiptFragment } from "../envelope/tokens.ts";
import { ApiProblem, deleteSecret, explain } from "./api.ts";
import { element, fill, formatTime, press } from "./dom.ts";
import type { Known } from "./link-states.ts";
import type { MyLink } from "./my-links.ts";
import { stateWords } from "./state-words.ts";

interface RowActs {
  forget(): void;
  /** Asks the server again. */
  lookAt(): Promise<void>;
}

/** One of `kind` within `row`. A missing one is a slip between the view and this script. */
function part<E extends Element>(row: Element, selector: string, kind: new () => E): E {
  const found = row.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`A row has no ${selector}.`);
  return found;
}

/** A link's place in the list of "My links". */
export interface LinkRow {
  readonly item: HTMLElement;
  /** The link may have got another label, and more may be known of it. */
  update(link: MyLink, known: Known | undefined): void;
}

const live = ["uploading", "sealed", "locked"];
let made = 0;

function describe(known: Known | undefined): { state: string; when: string; seal: string } {
  if (known === undefined) return { state: "Checking…", when: "", seal: "sealed" };
  if (known === "failed")
    return { state: "We can't tell right now.", when: "Nothing was changed.", seal: "expired" };
  if (known === "unknown") {
    const when = "The server has forgotten it, or never had it.";
    return { state: "Not known any more.", when, seal: "expired" };
  }
  const { heading, seal } = stateWords(known);
  const time = formatTime(new Date(known.endedAt ?? known.expiresAt));
  if (!live.includes(known.state)) return { state: heading, when: time, seal };
  const ending = known.state === "uploading" ? `is given up ${time}` : `deletes ${time} if unopened`;
  return { state: `${heading},`, when: ending, seal };
}

export function createLinkRow(first: MyLink, acts: RowActs): LinkRow {
  const { receiptFragment } = first;
  const copy = element("link-row", HTMLTemplateElement).content.cloneNode(true) as DocumentFragment;
  const item = copy.firstElementChild;
  if (!(item instanceof HTMLLIElement)) throw new Error("The page has no row.");
  const anchor = part(item, "a", HTMLAnchorElement);
  const mark = part(item, ".mark", SVGSVGElement);
  const problem = part(item, ".row-problem", HTMLElement);
  const deleteNow = part(item, ".irreversible", HTMLButtonElement);
  const forget = part(item, ".forget", HTMLButtonElement);

  anchor.href = `${document.documentElement.dataset.publicUrl ?? ""}/r#${receiptFragment}`;
  const rim = sealRim(parseReceiptFragment(receiptFragment)?.id);
  for (const path of mark.querySelectorAll("path")) path.setAttribute("d", rim);
  made += 1;
  anchor.id = `link-${made}`;
  for (const button of [deleteNow, forget]) button.setAttribute("aria-describedby", anchor.id);
  forget.onclick = acts.forget;
  deleteNow.onclick = () =>
    press(deleteNow, "Deleting…", async () => {
      problem.hidden = true;
      try {
        await deleteSecret(`wsr_${receiptFragment}`);
      } catch (error) {
        if (!(error instanceof ApiProblem && ["ended", "not-found"].includes(error.body.code))) {
          problem.textContent = explain(error, "We can't tell whether it was deleted. Try again.");
          problem.hidden = false;
          return;
        }
      }
      await acts.lookAt();
      if (deleteNow.hidden) anchor.focus();
    });

  const row: LinkRow = {
    item,
    update({ label, createdAt }, known) {
      anchor.textContent = label || `Link made ${formatTime(createdAt)}`;
      part(item, ".made", HTMLElement).hidden = label === "";
      const { state, when, seal } = describe(known);
      fill(item, { state, when, made: createdAt });
      mark.dataset.seal = seal;
      deleteNow.hidden = !(typeof known === "object" && live.includes(known.state));
    },
  };
  row.update(first, undefined);
  return row;
}
