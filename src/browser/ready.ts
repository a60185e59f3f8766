import { ApiProblem, deleteSecret, explain } from "./api.ts";
import { copy, select } from "./clipboard.ts";
import { element, fill, formatTime, press, show } from "./dom.ts";
import { markLinkCopied, showPassphraseStep, wipePassphrase } from "./passphrase-step.ts";
import { showRemember } from "./remember.ts";

/** What the "Your link is ready" screen has to show. */
export interface Ready {
  readonly linkFragment: string;
  readonly receiptFragment: string;
  readonly receiptBearer: string;
  readonly expiresAt: Date;
  /** Empty where there is none. */
  readonly passphrase: string;
  readonly newlineDropped: boolean;
}

const ENDINGS: Readonly<Record<string, string>> = {
  opened: "It was opened on",
  expired: "It expired unopened on",
  lost: "The server lost it on",
};

export function showReady(ready: Ready): void {
  const { publicUrl: base = "", linkUrl = "" } = document.documentElement.dataset;
  const link = `${linkUrl}/s#${ready.linkFragment}`;
  const note = `This link opens a secret, once. Have somewhere to save it before you open it.\n${link}`;
  const field = element("link", HTMLTextAreaElement);

  const screen = show("ready", { expires: ready.expiresAt });
  field.value = link;
  showPassphraseStep(screen, ready.passphrase);
  showRemember(ready);
  element("newline-dropped", HTMLElement).hidden = !ready.newlineDropped;
  element("receipt", HTMLAnchorElement).href = `${base}/r#${ready.receiptFragment}`;
  field.onfocus = () => select(field);

  const copyLink = element("copy", HTMLButtonElement);
  const copyOf = (button: HTMLButtonElement, text: string) => async () => {
    if (await copy(button, text, field)) markLinkCopied(screen);
  };
  copyLink.onclick = copyOf(copyLink, link);
  const copyNote = element("copy-note", HTMLButtonElement);
  copyNote.onclick = copyOf(copyNote, note);

  const mail = new URLSearchParams({ subject: "A secret for you", body: note })
    .toString()
    .replaceAll("+", "%20");
  element("mail", HTMLAnchorElement).href = `mailto:?${mail}`;

  const share = element("share", HTMLButtonElement);
  share.hidden = !("share" in navigator);
  // A share sheet that is closed again rejects; there is nothing to say about it.
  share.onclick = () => navigator.share({ text: note }).catch(() => undefined);

  const showQr = element("show-qr", HTMLButtonElement);
  const qr = element("qr", HTMLElement);
  qr.replaceChildren();
  qr.hidden = true;
  const problem = element("ready-problem", HTMLElement);
  problem.hidden = true;
  const showFailure = (failure: string) => {
    fill(screen, { failure });
    problem.hidden = false;
    problem.focus();
  };

  showQr.onclick = async () => {
    try {
      if (!qr.firstChild) {
        const { drawQr } = await import("./qr.ts");
        qr.replaceChildren(drawQr(link, "QR code of the link"));
      }
    } catch {
      showFailure("The QR code couldn't be loaded. The link itself is ready: copy it instead.");
      return;
    }
    qr.hidden = !qr.hidden;
    showQr.setAttribute("aria-expanded", String(!qr.hidden));
  };

  const deleteNow = element("delete", HTMLButtonElement);
  deleteNow.onclick = () =>
    press(deleteNow, "Deleting…", async () => {
      try {
        await deleteSecret(ready.receiptBearer);
        clearReady();
        show("deleted");
      } catch (error) {
        if (error instanceof ApiProblem && error.body.code === "ended") {
          const { state = "", endedAt = "" } = error.body;
          show("over", { outcome: `${ENDINGS[state] ?? "It ended on"} ${formatTime(new Date(endedAt))}.` });
          return;
        }
        showFailure(explain(error, "We can't tell whether it was deleted. Try again."));
      }
    });
}

/** Takes link and passphrase off the screen, and from the buttons that give them out. */
export function clearReady(): void {
  wipePassphrase();
  element("link", HTMLTextAreaElement).value = "";
  element("qr", HTMLElement).replaceChildren();
  for (const id of ["mail", "receipt"]) element(id, HTMLAnchorElement).href = "";
  for (const id of ["copy", "copy-note", "share", "show-qr", "delete"])
    element(id, HTMLButtonElement).onclick = null;
}
