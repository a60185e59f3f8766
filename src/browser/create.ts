import { sealRim } from "../envelope/rim.ts";
import { watchFiles } from "./add-files.ts";
import { explain, mayPass, type Terms } from "./api.ts";
import { type Attempt, beginAttempt } from "./attempt.ts";
import { CancelledError } from "./cancellable.ts";
import { announce, element, press, setRim, show } from "./dom.ts";
import { clearProblems, type FieldProblem, problemsOf, showProblems } from "./field-problems.ts";
import { watchGenerators } from "./generators.ts";
import { maxFiles, problemWith, tooLarge, tooManyFiles } from "./limits.ts";
import { watchOptions } from "./more-options.ts";
import { watchNewline } from "./newline.ts";
import { rememberOwn } from "./own-secrets.ts";
import { clearReady, showReady } from "./ready.ts";
import type { Contents } from "./seal-worker.ts";
import { makeSeveral, ownWords } from "./several.ts";
import { onLeave, startPage } from "./start-page.ts";
import { showWordList } from "./word-list.ts";

interface Inputs extends Contents {
  readonly terms: Terms;
}

function isSame(a: Inputs, b: Inputs): boolean {
  const values = ({ text, passphrase, terms, files }: Inputs) => [
    text,
    passphrase,
    JSON.stringify(terms),
    files.length,
    ...files,
  ];
  const others = values(b);
  return values(a).every((value, i) => value === others[i]);
}

function stillHere({ text, files }: Contents): string {
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
  const options = watchOptions();
  watchGenerators(secret, passphrase);
  const added = maxFiles > 0 ? watchAdded() : { chosen: () => [], clear: () => undefined };
  let attempt: { readonly inputs: Inputs; readonly made: Attempt } | undefined;

  function watchAdded() {
    const addButton = element("add-files", HTMLButtonElement);
    const files = watchFiles({
      isOpen: () => !form.closest("section")?.hidden && button.getAttribute("aria-busy") !== "true",
      tooMany: tooManyFiles,
      onProblem(words) {
        clearProblems();
        const problem = words ?? tooLarge(files.chosen());
        if (problem) showProblems([{ field: addButton, words: problem }]);
      },
    });
    return files;
  }

  function empty(): void {
    form.reset();
    options.clear();
  }

  /** What is wrong with what stands above the options. */
  function problemsAbove({ text, files, passphrase: given }: Contents): FieldProblem[] {
    const words = problemWith(text, files);
    const field = files.length > 0 ? element("add-files", HTMLButtonElement) : secret;
    const missing = form.dataset.passphraseRequired !== undefined && given === "";
    return [
      ...(words ? [{ field, words }] : []),
      ...(missing
        ? [{ field: passphrase, words: "Enter a passphrase. This server takes no secret without one." }]
        : []),
    ];
  }

  function discard(): void {
    attempt?.made.discard();
    attempt = undefined;
  }

  async function prepare(inputs: Inputs): Promise<Attempt> {
    if (attempt && isSame(attempt.inputs, inputs)) return attempt.made;
    discard();
    const made = await beginAttempt(inputs, inputs.terms);
    attempt = { inputs, made };
    return made;
  }

  /** False where the person has cancelled it. */
  async function create(): Promise<boolean> {
    clearProblems();
    const newlineDropped = newline.drop();
    const contents = { text: secret.value, files: added.chosen(), passphrase: passphrase.value };
    try {
      await options.load();
      const { chosen, problems } = options.read(Number(ttl.value));
      const wrong = [...problemsAbove(contents), ...problems];
      if (wrong.length > 0) {
        showProblems(wrong);
        return true;
      }
      const { people, words } = chosen;
      const terms = { ttl: Number(ttl.value), ...chosen.terms };
      if (people.length > 0) {
        discard();
        await makeSeveral({ people, contents, terms, newlineDropped });
        showWordList(element("made-terms", HTMLElement), words);
        empty();
        return true;
      }
      const inputs = { ...contents, terms };
      const { fields, expiresAt, ...keys } = await (await prepare(inputs)).send();
      rememberOwn(fields.id);
      setRim(sealRim(fields.id));
      showReady({
        ...keys,
        expiresAt: new Date(expiresAt),
        passphrase: inputs.passphrase,
        newlineDropped,
      });
      showWordList(element("ready-terms", HTMLElement), words);
      attempt = undefined;
      empty();
    } catch (error) {
      show("compose");
      if (!mayPass(error)) discard();
      if (error instanceof CancelledError) return false;
      button.dataset.failed = "";
      const failure = ownWords(error) ?? `We couldn't save it. ${stillHere(contents)}`;
      const named = problemsOf(error);
      showProblems(named.length > 0 ? named : [{ field: button, words: explain(error, failure) }]);
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

  // The back/forward cache would keep, and bring back, what was entered, or a link that was shown.
  onLeave(
    () => {
      empty();
      newline.forget();
      clearReady();
    },
    () => {
      if (button.getAttribute("aria-busy") !== "true") discard();
      show("compose");
    },
  );
}

startPage("", startCreate);
