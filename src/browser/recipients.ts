import type { Terms } from "./api.ts";
import { type KeepTools, showKeep } from "./keep-links.ts";
import { createLinkMaker, type LinkMakerTools, type Watcher } from "./link-maker.ts";
import { createMadeLinks, type MadeLinksTools } from "./made-links.ts";
import type { Contents } from "./seal-worker.ts";

/** Handed over for the same reason as in upload.ts. */
export type RecipientsTools = MadeLinksTools &
  Pick<LinkMakerTools, "mayPass" | "deleteSecret"> &
  Pick<typeof import("./dom.ts"), "show"> &
  Pick<typeof import("./attempt.ts"), "beginAttempt"> &
  Pick<typeof import("./own-secrets.ts"), "rememberOwn"> &
  Pick<typeof import("./passphrase-step.ts"), "showPassphraseStep"> &
  KeepTools &
  Pick<typeof import("./cancellable.ts"), "guarded"> & {
    /** What to throw where the person has had enough before there was anything. */
    readonly cancelled: () => Error;
  };

export interface Recipients {
  readonly people: readonly string[];
  readonly contents: Contents;
  readonly terms: Terms;
  readonly newlineDropped: boolean;
}

/** What a mail calls one person's secret: the server isn't told their name, but which of them it is. */
function termsFor(terms: Terms, index: number, count: number): Terms {
  if (!terms.notify) return terms;
  const number = `${index + 1} of ${count}`;
  const { email, label } = terms.notify;
  return { ...terms, notify: { email, label: label ? `${label} (${number})` : number } };
}

/**
 * A secret for each person: its own key, share, receipt and end, the same text encrypted anew. Resolves
 * with the links on the screen, all of them or those that could be made; throws where none could.
 */
export async function makeRecipients(
  { people, contents, terms, newlineDropped }: Recipients,
  tools: RecipientsTools,
): Promise<void> {
  const { announce, beginAttempt, element, explain, fill, guarded, setTitle, show } = tools;
  const { publicUrl = "", linkUrl = publicUrl } = document.documentElement.dataset;
  const count = people.length;
  const restPlace = element("make-rest-place", HTMLElement);
  const rest = element("make-rest", HTMLButtonElement);
  const stop = element("stop-making", HTMLButtonElement);
  const begin = (index: number) => beginAttempt(contents, termsFor(terms, index, count));
  const maker = createLinkMaker(count, { ...tools, begin });
  const screen = element("links", HTMLElement).closest<HTMLElement>("[data-screen]") ?? document.body;
  const table = createMadeLinks(screen, tools, () => {
    restPlace.hidden = true;
    maker.discard();
  });

  function watch(making: HTMLElement): Watcher {
    const bar = making.querySelector("progress");
    const say = (detail: string) => fill(making, { detail });
    let waited = false;
    return {
      turn(index) {
        const words = `Making links: ${index + 1} of ${count}`;
        if (bar) bar.value = index / count;
        fill(making, { progress: words, detail: "" });
        setTitle(words);
        announce(`${index + 1} of ${count}`);
        waited = false;
      },
      made(index, sent) {
        const label = people[index] ?? "";
        table.add({
          label,
          link: `${linkUrl}/s#${sent.linkFragment}`,
          receipt: `${publicUrl}/r#${sent.receiptFragment}`,
          receiptFragment: sent.receiptFragment,
          receiptBearer: sent.receiptBearer,
          expiresAt: new Date(sent.expiresAt),
        });
        tools.rememberOwn(sent.fields.id);
      },
      waiting(seconds) {
        const words = `Too many tries. Going on in ${seconds} ${seconds === 1 ? "second" : "seconds"}.`;
        say(words);
        if (!waited) announce(words);
        waited = true;
      },
      progress: {
        set: (done, size) => say(`Uploading ${Math.floor((done / size) * 100)}%`),
        lost: () => say("The connection was lost. Trying again…"),
      },
    };
  }

  function missing(): string {
    const made = table.made().length;
    const next = people[made] ?? "";
    return count - made === 1
      ? `The link for ${next} is missing.`
      : `${count - made} links are missing, from ${next} on.`;
  }

  function showMade(failure: string | undefined): void {
    for (const part of screen.querySelectorAll<HTMLElement>("[data-live]")) part.hidden = false;
    const made = table.made().length;
    const all = made === count;
    const ready = count === 1 ? "Your link is ready" : "Your links are ready";
    const heading = all ? ready : `${made} of ${count} links are ready`;
    show("made", { made: heading, expires: table.expires() ?? "" });
    setTitle(heading);
    tools.showPassphraseStep(screen, contents.passphrase);
    showKeep(table.made, tools);
    element("made-newline-dropped", HTMLElement).hidden = !newlineDropped;
    restPlace.hidden = all;
    table.showProblem(failure);
  }

  async function run(): Promise<void> {
    const controller = new AbortController();
    const making = show("making");
    stop.onclick = () => controller.abort();
    let failure: string | undefined;
    try {
      await guarded(() => maker.run(watch(making), controller.signal));
    } catch (error) {
      const cancelled = controller.signal.aborted;
      if (table.made().length === 0) {
        maker.discard();
        throw cancelled ? tools.cancelled() : error;
      }
      if (!cancelled) failure = explain(error, "We couldn't save the next one.");
      fill(screen, { missing: `${cancelled ? "Cancelled. " : ""}${missing()} These here are kept.` });
    }
    showMade(failure);
  }

  rest.onclick = () => void run();
  // While more are made the page goes on with them, should it come back from the back/forward cache.
  addEventListener("pagehide", () => {
    if (screen.hidden) return;
    table.clear();
    rest.onclick = null;
  });
  await run();
}
