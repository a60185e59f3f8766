import { sealRim } from "../envelope/rim.ts";
import { formatReceiptBearer, parseReceiptFragment } from "../envelope/tokens.ts";
import { ApiProblem, deleteSecret, explain, type ReceiptView, readReceipt, unlockSecret } from "./api.ts";
import { element, fill, formatTime, press, setRim, setSeal, setTitle, show } from "./dom.ts";
import { ruleWords } from "./rule-words.ts";
import { onLeave, startPage } from "./start-page.ts";
import { eventWords, stateWords } from "./state-words.ts";
import { showWordList } from "./word-list.ts";

/** Milliseconds between two looks while the page is in view. */
const INTERVAL = 5_000;

function timelineItem({ at, kind }: ReceiptView["events"][number]): HTMLLIElement {
  const item = document.createElement("li");
  const words = document.createElement("strong");
  words.textContent = eventWords(kind);
  const time = document.createElement("time");
  time.dateTime = at;
  time.textContent = formatTime(new Date(at));
  item.append(words, " ", time);
  return item;
}

function startReceipt(): void {
  let timer = 0;

  async function load(): Promise<void> {
    clearTimeout(timer);
    const receipt = parseReceiptFragment(location.hash.slice(1));
    if (!receipt) return void show("incomplete");
    const bearer = formatReceiptBearer(receipt.id, receipt.proof);
    setRim(sealRim(receipt.id));
    let shown: ReceiptView | undefined;
    // After it was opened, its reader's browser may say for so long that it has arrived.
    let looksLeft = Math.ceil((Number(document.documentElement.dataset.window) * 1_000) / INTERVAL);

    const render = (view: ReceiptView) => {
      const { heading, seal, summary } = stateWords(view);
      const live = ["uploading", "sealed", "locked"].includes(view.state);
      const triesLeft =
        view.triesLeft === undefined || !live ? "" : ` ${view.triesLeft} passphrase tries left.`;
      const ending =
        view.state === "uploading" ? "Unless more of it arrives, it is given up" : "It is deleted";
      const expires = live ? ` ${ending} ${formatTime(new Date(view.expiresAt))}.` : "";
      const values = { state: heading, summary: `${summary}${expires}${triesLeft}` };
      const changed = shown?.state !== view.state;
      if (!shown) show("known", values);
      // A state that changes while we look is said and focused; an unchanged one leaves focus alone.
      else if (changed) fill(show("known"), values);
      else fill(document, values);
      shown = view;
      setSeal(seal);
      setTitle(heading);
      showWordList(element("rules", HTMLElement), ruleWords(view.rules ?? {}, formatTime));
      element("timeline", HTMLElement).replaceChildren(...view.events.map(timelineItem));
      element("receipt-actions", HTMLElement).hidden = !live;
      element("unlock", HTMLElement).hidden = view.state !== "locked";
      const arriving = view.state === "opened" && !view.events.some(({ kind }) => kind === "received");
      if (live || (arriving && looksLeft-- > 0)) timer = window.setTimeout(look, INTERVAL);
    };

    const look = async () => {
      clearTimeout(timer);
      try {
        if (document.visibilityState === "hidden" && shown) return;
        render(await readReceipt(bearer));
      } catch (error) {
        if (error instanceof ApiProblem && error.body.code === "not-found") return void show("unknown");
        if (shown) timer = window.setTimeout(look, INTERVAL);
        else show("failed", { failure: explain(error, "The server can't be reached. Nothing was changed.") });
      }
    };

    const act = (id: string, working: string, what: (bearer: string) => Promise<void>, failure: string) => {
      const button = element(id, HTMLButtonElement);
      const problem = element("problem", HTMLElement);
      button.onclick = () =>
        press(button, working, async () => {
          problem.hidden = true;
          try {
            await what(bearer);
          } catch (error) {
            if (!(error instanceof ApiProblem && error.body.code === "ended")) {
              fill(document, { failure: explain(error, failure) });
              problem.hidden = false;
              problem.focus();
              return;
            }
          }
          await look();
        });
    };

    act("delete", "Deleting…", deleteSecret, "We couldn't delete it. Nothing was changed. Try again.");
    act("unlock", "Unlocking…", unlockSecret, "We couldn't unlock it. Nothing was changed. Try again.");
    document.onvisibilitychange = () => {
      if (document.visibilityState === "visible" && shown?.endedAt === undefined) void look();
    };
    await look();
  }

  const retry = element("retry", HTMLButtonElement);
  retry.addEventListener("click", () => press(retry, "Trying…", load));
  addEventListener("hashchange", () => void load());
  onLeave(
    () => clearTimeout(timer),
    () => void load(),
  );
  void load();
}

startPage("r", startReceipt);
