import { endingWords, triesWords } from "../envelope/live-words.ts";
import { sealRim } from "../envelope/rim.ts";
import { ruleWords } from "../envelope/rule-words.ts";
import { formatReceiptBearer, parseReceiptFragment } from "../envelope/tokens.ts";
import { ApiProblem, deleteSecret, explain, type ReceiptView, readReceipt, unlockSecret } from "./api.ts";
import {
  announce,
  element,
  fill,
  formatTime,
  markTitle,
  press,
  setRim,
  setSeal,
  setTitle,
  show,
} from "./dom.ts";
import { followReceipt } from "./follow-receipt.ts";
import { onLeave, startPage } from "./start-page.ts";
import { eventWords, stateWords } from "./state-words.ts";
import { showWordList } from "./word-list.ts";

/** Milliseconds by which the arrival of what was opened may be told later than its window ends. */
const ARRIVAL_SLACK = 5_000;

type ReceiptEvent = ReceiptView["events"][number];

const wordsOf = ({ kind, reason }: ReceiptEvent) => eventWords(reason ? `${kind}-${reason}` : kind);

function timelineItem(event: ReceiptEvent): HTMLLIElement {
  const item = document.createElement("li");
  const words = document.createElement("strong");
  words.textContent = wordsOf(event);
  const time = document.createElement("time");
  time.dateTime = event.at;
  time.textContent = formatTime(new Date(event.at));
  item.append(words, " ", time);
  return item;
}

function startReceipt(): void {
  let following = new AbortController();
  const problem = element("problem", HTMLElement);

  async function load(): Promise<void> {
    following.abort();
    following = new AbortController();
    const { signal } = following;
    const stop = () => following.abort();
    const receipt = parseReceiptFragment(location.hash.slice(1));
    if (!receipt) return void show("incomplete");
    const bearer = formatReceiptBearer(receipt.id, receipt.proof);
    setRim(sealRim(receipt.id));
    // What could not be done with another receipt, whose address this tab had.
    problem.hidden = true;
    let shown: ReceiptView | undefined;
    let arrivalTimer = 0;
    const left = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    void left.then(() => clearTimeout(arrivalTimer));

    const render = (view: ReceiptView) => {
      const { heading, seal, summary } = stateWords(view);
      const live = ["uploading", "sealed", "locked"].includes(view.state);
      const expires = ` ${endingWords(view.state)} ${formatTime(new Date(view.expiresAt))}.`;
      const more = live ? `${expires}${triesWords(view.triesLeft)}` : "";
      const values = { state: heading, summary: `${summary}${more}` };
      const changed = shown?.state !== view.state;
      if (!shown) show("known", values);
      // A state that changes while we look is said and focused; an unchanged one leaves focus alone.
      else if (changed) {
        // What could not be done before is no news beside what has happened.
        problem.hidden = true;
        fill(show("known"), values);
      } else {
        fill(document, values);
        const last = view.events.at(-1);
        if (last && view.events.length > shown.events.length) announce(`${wordsOf(last)}.`);
      }
      shown = view;
      setSeal(seal);
      // In a row of tabs, its first words are all that is seen.
      if (view.state === "opened") document.title = "✓ Opened";
      else setTitle(heading);
      markTitle(!problem.hidden);
      showWordList(element("rules", HTMLElement), ruleWords(view.rules ?? {}, formatTime));
      element("timeline", HTMLElement).replaceChildren(...view.events.map(timelineItem));
      for (const id of ["receipt-actions", "keep-address"]) element(id, HTMLElement).hidden = !live;
      element("unlock", HTMLElement).hidden = view.state !== "locked";
      if (live) return;
      // After it was opened, its reader's browser may say for so long that it has arrived.
      const arrival = Number(document.documentElement.dataset.window) * 1_000;
      if (view.state !== "opened" || arrival === 0 || view.events.some(({ kind }) => kind === "received"))
        stop();
      else arrivalTimer ||= window.setTimeout(stop, arrival + ARRIVAL_SLACK);
    };

    const stale = element("stale", HTMLElement);
    const found = () => {
      stale.hidden = true;
    };
    // Without it, "Nobody has opened it yet" would stand there for as long as nobody can know.
    const lost = (error: unknown) => {
      const why = explain(error, "The server can't be reached.");
      stale.textContent = `${why} What is shown here may be out of date. We keep asking.`;
      stale.hidden = false;
    };
    const isLost = () => !stale.hidden;
    signal.addEventListener("abort", found);
    found();

    // Answers overtake each other, and the stream overtakes answers: what was asked before the latest that
    // is shown is no news.
    let asked = 0;
    let latest = 0;
    const tell = (view: ReceiptView) => {
      found();
      render(view);
    };
    const told = (view: ReceiptView) => {
      latest = asked;
      tell(view);
    };
    const ask = async () => {
      const number = ++asked;
      const view = await readReceipt(bearer, signal);
      if (signal.aborted || number <= latest) return;
      latest = number;
      tell(view);
    };

    const look = async () => {
      try {
        await ask();
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof ApiProblem && error.body.code === "not-found") forgotten();
        else if (shown) lost(error);
        else show("failed", { failure: explain(error, "The server can't be reached. Nothing was changed.") });
      }
    };

    const forgotten = () => {
      stop();
      show("unknown");
    };

    const act = (
      id: string,
      working: string,
      what: (bearer: string) => Promise<void>,
      failure: string,
      isDone: (view: ReceiptView) => boolean,
    ) => {
      const button = element(id, HTMLButtonElement);
      button.onclick = () =>
        press(button, working, async () => {
          problem.hidden = true;
          markTitle(false);
          try {
            // No longer than this receipt stands here: it is not the next one that is being deleted.
            await Promise.race([what(bearer), left]);
          } catch (error) {
            // Another receipt stands here by now, or the stream has told what the answer would have.
            if (signal.aborted || (shown && isDone(shown))) return;
            if (!(error instanceof ApiProblem && error.body.code === "ended")) {
              fill(document, { failure: explain(error, failure) });
              problem.hidden = false;
              markTitle(true);
              problem.focus();
              return;
            }
          }
          await look();
        });
    };

    // The answer may have been lost, and not the request.
    const unsure = (done: string) => `We can't tell whether it was ${done}. Try again.`;
    act("delete", "Deleting…", deleteSecret, unsure("deleted"), ({ endedAt }) => endedAt !== undefined);
    act("unlock", "Unlocking…", unlockSecret, unsure("unlocked"), ({ state }) => state !== "locked");
    document.onvisibilitychange = () => {
      if (document.visibilityState !== "visible" || signal.aborted || shown?.endedAt !== undefined) return;
      // Where the first look found nothing out, nothing follows the receipt yet.
      void (shown ? look() : load());
    };
    await look();
    if (shown && !signal.aborted)
      followReceipt(bearer, { ask, told, forgotten, lost, found, isLost }, signal);
  }

  const retry = element("retry", HTMLButtonElement);
  retry.addEventListener("click", () => press(retry, "Trying…", load));
  addEventListener("hashchange", () => void load());
  onLeave(
    () => following.abort(),
    () => void load(),
  );
  void load();
}

startPage("r", startReceipt);
