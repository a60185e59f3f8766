import { sealRim } from "../envelope/rim.ts";
import { formatReceiptBearer, parseReceiptFragment } from "../envelope/tokens.ts";
import { ApiProblem, deleteSecret, explain, type ReceiptView, readReceipt, unlockSecret } from "./api.ts";
import { element, fill, formatTime, press, setRim, setSeal, setTitle, show } from "./dom.ts";
import { onLeave, startPage } from "./start-page.ts";

/** Milliseconds between two looks while the page is in view. */
const INTERVAL = 5_000;

const STATES: Readonly<Record<ReceiptView["state"], { words: string; summary: string; seal: string }>> = {
  sealed: { words: "Sealed", summary: "Nobody has opened it yet.", seal: "sealed" },
  locked: {
    words: "Locked",
    summary: "Too many wrong passphrases. Nobody has read it. Unlock it only if you know who tried.",
    seal: "locked",
  },
  opened: { words: "Opened", summary: "It was opened once and is gone from the server.", seal: "opened" },
  expired: {
    words: "Expired unopened",
    summary: "Nobody opened it. It is gone from the server.",
    seal: "expired",
  },
  deleted: { words: "Deleted", summary: "You deleted it. Nobody opened it.", seal: "deleted" },
  lost: {
    words: "Lost",
    summary: "The server lost it before anybody opened it. Send it again.",
    seal: "expired",
  },
};

const EVENTS: Readonly<Record<string, string>> = {
  sealed: "Sealed",
  "wrong-passphrase": "Wrong passphrase",
  locked: "Locked",
  unlocked: "Unlocked",
  opened: "Opened",
  received: "Received by the browser that opened it",
  expired: "Expired unopened",
  deleted: "Deleted",
  lost: "Lost",
};

function timelineItem({ at, kind }: ReceiptView["events"][number]): HTMLLIElement {
  const item = document.createElement("li");
  const words = document.createElement("strong");
  words.textContent = EVENTS[kind] ?? kind;
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

    const render = (view: ReceiptView) => {
      const { words, summary, seal } = STATES[view.state];
      const live = view.state === "sealed" || view.state === "locked";
      const triesLeft =
        view.triesLeft === undefined || !live ? "" : ` ${view.triesLeft} passphrase tries left.`;
      const expires = live ? ` It is deleted ${formatTime(new Date(view.expiresAt))}.` : "";
      const values = { state: words, summary: `${summary}${expires}${triesLeft}` };
      const changed = shown?.state !== view.state;
      if (!shown) show("known", values);
      // A state that changes while we look is said and focused; an unchanged one leaves focus alone.
      else if (changed) fill(show("known"), values);
      else fill(document, values);
      shown = view;
      setSeal(seal);
      setTitle(words);
      element("timeline", HTMLElement).replaceChildren(...view.events.map(timelineItem));
      element("receipt-actions", HTMLElement).hidden = !live;
      element("unlock", HTMLElement).hidden = view.state !== "locked";
      if (live) timer = window.setTimeout(look, INTERVAL);
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

startPage(startReceipt);
