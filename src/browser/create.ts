import { UnsealableError } from "../envelope/errors.ts";
import { sealRim } from "../envelope/rim.ts";
import { watchFiles } from "./add-files.ts";
import { explain, mayPass } from "./api.ts";
import { type Attempt, beginAttempt } from "./attempt.ts";
import { CancelledError } from "./cancellable.ts";
import { announce, clearProblem, element, press, setRim, setTitle, show, showProblem } from "./dom.ts";
import { maxFiles, problemWith, tooLarge, tooManyFiles } from "./limits.ts";
import { watchNewline } from "./newline.ts";
import { rememberOwn } from "./own-secrets.ts";
import { showReady } from "./ready.ts";
import type { Contents } from "./seal-worker.ts";
import { startPage } from "./start-page.ts";
import { WorkerLoadError } from "./start-worker.ts";

interface Inputs extends Contents {
  /** Seconds. */
  readonly ttl: number;
}

function isSame(a: Inputs, b: Inputs): boolean {
  const values = ({ text, passphrase, ttl, files }: Inputs) => [
    text,
    passphrase,
    ttl,
    files.length,
    ...files,
  ];
  const others = values(b);
  return values(a).every((value, i) => value === others[i]);
}

function stillHere({ text, files }: Inputs): string {
  if (files.length === 0) return "Your text is still here.";
  return text === "" ? "Your files are still here." : "Your text and files are still here.";
}

function startCreate(): void {
  const form = element("compose", HTMLFormElement);
  const button = element("create", HTMLButtonElement);
  const secret = element("secret", HTMLTextAreaElement);
  const passphrase = element("passphrase", HTMLInputElement);
  const ttl = element("ttl", HTMLSelectElement);
  const newline = watchNewline(secret);
  const added = maxFiles > 0 ? watchAdded() : { chosen: () => [], clear: () => undefined };
  let attempt: { readonly inputs: Inputs; readonly made: Attempt } | undefined;

  function watchAdded() {
    const addButton = element("add-files", HTMLButtonElement);
    const files = watchFiles({
      isOpen: () => !form.closest("section")?.hidden && button.getAttribute("aria-busy") !== "true",
      tooMany: tooManyFiles,
      onProblem(words) {
        clearProblem();
        const problem = words ?? tooLarge(files.chosen());
        if (problem) showProblem(problem, addButton);
      },
    });
    return files;
  }

  function discard(): void {
    attempt?.made.discard();
    attempt = undefined;
  }

  async function prepare(inputs: Inputs): Promise<Attempt> {
    if (attempt && isSame(attempt.inputs, inputs)) return attempt.made;
    discard();
    const made = await beginAttempt(inputs, { ttl: inputs.ttl });
    attempt = { inputs, made };
    return made;
  }

  /** False where the person has cancelled it. */
  async function create(): Promise<boolean> {
    clearProblem();
    const dropped = newline.drop();
    const files = added.chosen();
    const inputs = { text: secret.value, files, passphrase: passphrase.value, ttl: Number(ttl.value) };
    const wrong = problemWith(inputs.text, files);
    if (wrong) {
      showProblem(wrong, files.length > 0 ? element("add-files", HTMLButtonElement) : secret);
      return true;
    }
    try {
      const { fields, expiresAt, ...keys } = await (await prepare(inputs)).send();
      rememberOwn(fields.id);
      setRim(sealRim(fields.id));
      showReady({
        ...keys,
        expiresAt: new Date(expiresAt),
        passphrase: fields.passphrase,
        newlineDropped: dropped,
      });
      attempt = undefined;
      form.reset();
    } catch (error) {
      show("compose");
      if (!mayPass(error)) discard();
      if (error instanceof CancelledError) return false;
      button.dataset.failed = "";
      const failure =
        error instanceof WorkerLoadError || error instanceof UnsealableError
          ? error.message
          : `We couldn't save it. ${stillHere(inputs)}`;
      showProblem(explain(error, failure), button);
    }
    return true;
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-busy") === "true") return;
    delete button.dataset.failed;
    let finished = true;
    await press(button, "Encrypting…", async () => {
      finished = await create();
    });
    button.textContent = "failed" in button.dataset ? "Try again" : "Create link";
    if (!finished) announce("Cancelled. Nothing was kept on the server.");
  });
  form.addEventListener("reset", added.clear);

  // The back/forward cache and session restore may bring back an old form, or a link that was shown.
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    form.reset();
    newline.forget();
    setTitle("Share a secret");
    show("compose");
  });
}

startPage("", startCreate);
