import { wipe } from "../envelope/bytes.ts";
import { UnreadableError } from "../envelope/errors.ts";
import { type AccessKeys, deriveLinkKeys, type LinkKeys } from "../envelope/keys.ts";
import { type LinkSecret, parseFragment } from "../envelope/link.ts";
import { sealRim } from "../envelope/rim.ts";
import { SUITE_PASSPHRASE } from "../envelope/suite.ts";
import { formatLinkBearer, type Share } from "../envelope/tokens.ts";
import { acknowledge, ConnectionError, explain, openSecret, readSecret } from "./api.ts";
import { CancelledError, cancelCurrent, guarded } from "./cancellable.ts";
import { createCiphertext, type HeldCiphertext } from "./ciphertext.ts";
import { claimFor, dropClaim, unansweredSince } from "./claims.ts";
import { type OpenedPart, openContents } from "./contents.ts";
import { announce, clearProblem, element, press, setRim, show, showProblem } from "./dom.ts";
import { hashPassphrase } from "./hash-passphrase.ts";
import { showHeld } from "./held.ts";
import { clearOpened, showOpened } from "./opened.ts";
import { forgetOwn, isOwn } from "./own-secrets.ts";
import { createProgress } from "./progress.ts";
import { showNotOpened, showRefusal, showWaitingProblem } from "./refusals.ts";
import { onLeave, startPage } from "./start-page.ts";
import { WorkerLoadError } from "./start-worker.ts";

/** The link in hand, and what has been worked out from it so far. */
interface Visit {
  readonly keys: LinkKeys;
  readonly bearer: string;
  ciphertext: HeldCiphertext;
  access?: AccessKeys;
}

const STILL_SEALED = "The server can't be reached. The secret is still sealed. Try again.";

let visit: Visit | undefined;
let openedAt: number | undefined;

const passphrase = element("passphrase", HTMLInputElement);

/** A history entry that has shown its secret remembers when, and nothing else. */
function openedBefore(): number | undefined {
  const state: unknown = history.state;
  if (location.hash || typeof state !== "object" || state === null || !("openedAt" in state))
    return undefined;
  return Number(state.openedAt);
}

async function arrive(): Promise<void> {
  // What the same tab opened before, where another link was put into its address.
  cancelCurrent();
  visit?.keys.wipe();
  visit = undefined;
  clearOpened();
  openedAt = undefined;
  const before = openedBefore();
  if (before) return void show("already", { ended: new Date(before) });
  let link: LinkSecret;
  try {
    link = await parseFragment(location.hash.slice(1));
  } catch {
    return void show("incomplete");
  }
  const keys = await deriveLinkKeys(link);
  setRim(sealRim(keys.id));
  const bearer = formatLinkBearer(keys.id, keys.linkProof);
  visit = { keys, bearer, ciphertext: createCiphertext(keys, bearer) };
  await look(visit);
}

async function look(current: Visit): Promise<void> {
  const { keys, bearer } = current;
  try {
    const { state, expiresAt, size } = await readSecret(bearer);
    current.ciphertext = createCiphertext(keys, bearer, size);
    if (state === "locked") return void show("locked");
    const needsPassphrase = keys.suite === SUITE_PASSPHRASE;
    const wait = () => {
      show("waiting", { expires: new Date(expiresAt) });
      element("passphrase-field", HTMLElement).hidden = !needsPassphrase;
      element("unopened", HTMLElement).hidden = false;
      preparePrint().catch(() => undefined); // The page prints without it.
    };
    if (!isOwn(keys.id)) return wait();
    show("own");
    element("open-anyway", HTMLButtonElement).onclick = wait;
  } catch (error) {
    if (!showRefusal(keys, error)) show("failed", { failure: explain(error, STILL_SEALED) });
  }
}

/** Puts the link as a QR code on the printed page, for carrying it to another device. */
async function preparePrint(): Promise<void> {
  const { drawQr } = await import("./qr.ts");
  element("print-qr", HTMLElement).replaceChildren(drawQr(location.href, "QR code of this link"));
}

/** Everything up to the hand-over: nothing here uses anything up. */
async function prepare(current: Visit, progress: (words: string) => void): Promise<AccessKeys> {
  if (!current.access) {
    const needsPassphrase = current.keys.suite === SUITE_PASSPHRASE;
    if (needsPassphrase) progress("Checking the passphrase…");
    current.access = await current.keys.unlock(
      needsPassphrase ? passphrase.value : undefined,
      hashPassphrase,
    );
  }
  progress("Opening…");
  await current.ciphertext.fetch();
  return current.access;
}

async function open(progress: (words: string) => void): Promise<void> {
  const current = visit;
  if (!current) return;
  clearProblem();
  const needsPassphrase = current.keys.suite === SUITE_PASSPHRASE;
  if (needsPassphrase && !current.access && passphrase.value === "") {
    return showProblem("Enter the passphrase", passphrase);
  }
  let access: AccessKeys;
  try {
    access = await prepare(current, progress);
  } catch (error) {
    if (visit !== current) return;
    if (error instanceof CancelledError) return void show("waiting");
    if (showRefusal(current.keys, error)) return;
    showWaitingProblem(error instanceof WorkerLoadError ? error.message : explain(error, STILL_SEALED));
    return;
  }
  if (visit === current) await guarded(() => takeOver(current, access));
}

/**
 * Nothing can be lost by a download that was damaged on its way: the share is in hand, and the server has
 * the ciphertext until it is told that all is well.
 */
async function decrypt({ ciphertext }: Visit, access: AccessKeys, share: Share): Promise<OpenedPart[]> {
  const attempt = async () => {
    const blob = await ciphertext.fetch();
    const { set } = ciphertext.isLarge
      ? createProgress(show("decrypting"), "Decrypting")
      : { set: () => undefined };
    return openContents(access, share, blob, set);
  };
  try {
    return await attempt();
  } catch {
    ciphertext.drop();
    return attempt();
  }
}

/** The one act that counts: asks for the share under this tab's claim, and shows what it unlocks. */
async function takeOver(current: Visit, access: AccessKeys): Promise<void> {
  const { keys, bearer } = current;
  const before = unansweredSince(keys.id);
  const asked = Date.now();
  const claim = claimFor(keys.id, asked);
  let share: Share;
  try {
    share = await openSecret(bearer, access.accessProof, claim);
  } catch (error) {
    if (error instanceof ConnectionError) return showHeld(asked);
    delete current.access;
    showNotOpened(keys, error, before);
    return;
  }
  try {
    const parts = await decrypt(current, access, share);
    openedAt = asked;
    showOpened(parts);
    history.replaceState({ openedAt }, "", location.pathname + location.search);
    forget();
  } catch (error) {
    // Not acknowledged: within the window this tab may have it again.
    if (error instanceof UnreadableError) show("unreadable");
    else showHeld(asked);
    return;
  } finally {
    wipe(share);
  }
  forgetOwn(keys.id);
  await acknowledge(bearer, claim).then(
    () => dropClaim(keys.id),
    () => undefined, // The window's end destroys what is left.
  );
}

/** Drops keys and passphrase; what is on the screen stays, with what its buttons save from. */
function forget(): void {
  visit?.keys.wipe();
  visit = undefined;
  passphrase.value = "";
}

function startOpen(): void {
  const button = element("open-button", HTMLButtonElement);
  element("open", HTMLFormElement).addEventListener("submit", (event) => event.preventDefault());
  // A person's own click or Enter; a script in the page that calls click() opens nothing.
  button.addEventListener("click", (event) => {
    if (event.isTrusted) void press(button, "Opening…", open);
  });

  const retryOpen = element("retry-open", HTMLButtonElement);
  retryOpen.addEventListener("click", (event) => {
    if (!event.isTrusted) return;
    void press(retryOpen, "Trying…", async (progress) => {
      const current = visit;
      // After a reload the passphrase has to be typed again before the claim can be shown again.
      if (current?.keys.suite === SUITE_PASSPHRASE && !current.access) {
        show("waiting");
        element("passphrase-field", HTMLElement).hidden = false;
        passphrase.focus();
        return;
      }
      await open(progress);
      announce("");
    });
  });

  const retryRefused = element("retry-refused", HTMLButtonElement);
  retryRefused.addEventListener("click", (event) => {
    if (event.isTrusted) void press(retryRefused, "Trying…", open);
  });

  const retry = element("retry", HTMLButtonElement);
  retry.addEventListener("click", () => press(retry, "Trying…", arrive));
  addEventListener("hashchange", () => void arrive());
  onLeave(
    () => {
      forget();
      clearOpened();
    },
    () => {
      if (openedAt) show("already", { ended: new Date(openedAt) });
      else void arrive();
    },
  );
  void arrive();
}

startPage("s", startOpen);
