import { utf8 } from "../envelope/bytes.ts";
import { UnsealableError } from "../envelope/errors.ts";
import { textPart } from "../envelope/parts.ts";
import { sealRim } from "../envelope/rim.ts";
import { gather } from "../envelope/seal.ts";
import { type PreparedSecret, prepareSecret } from "../envelope/sender.ts";
import { type Ciphertext, formatReceiptBearer } from "../envelope/tokens.ts";
import { ApiProblem, createSecret, explain } from "./api.ts";
import { clearProblem, element, press, setRim, setTitle, show, showProblem } from "./dom.ts";
import { hashPassphrase, WorkerLoadError } from "./hash-passphrase.ts";
import { watchNewline } from "./newline.ts";
import { rememberOwn } from "./own-secrets.ts";
import { showReady } from "./ready.ts";
import { formatBytes } from "../envelope/size-words.ts";
import { startPage } from "./start-page.ts";

/** What one press of the button made. A retry sends the very same bytes, so it can't create twice. */
interface Attempt {
  readonly inputs: string;
  readonly prepared: PreparedSecret;
  readonly blob: Ciphertext;
}

function startCreate(): void {
  const form = element("compose", HTMLFormElement);
  const button = element("create", HTMLButtonElement);
  const secret = element("secret", HTMLTextAreaElement);
  const passphrase = element("passphrase", HTMLInputElement);
  const ttl = element("ttl", HTMLSelectElement);
  const maxBytes = Number(document.documentElement.dataset.maxBytes);
  const newline = watchNewline(secret);
  let attempt: Attempt | undefined;

  function problemWith(text: string): string | undefined {
    if (text === "") return "Enter a secret";
    const size = utf8(text).length;
    if (size > maxBytes) return `Your text is ${formatBytes(size)}. The limit is ${formatBytes(maxBytes)}.`;
    return undefined;
  }

  async function prepare(text: string): Promise<Attempt> {
    const inputs = JSON.stringify([text, ttl.value, passphrase.value]);
    if (attempt?.inputs === inputs) return attempt;
    const prepared = await prepareSecret([textPart(text)], passphrase.value, hashPassphrase);
    return { inputs, prepared, blob: await gather(prepared.sealing) };
  }

  async function create(): Promise<void> {
    clearProblem();
    const dropped = newline.drop();
    const text = secret.value;
    const wrong = problemWith(text);
    if (wrong) return showProblem(wrong, secret);
    try {
      attempt = await prepare(text);
      const { prepared, blob } = attempt;
      const { expiresAt } = await createSecret(prepared.fields, Number(ttl.value), blob);
      const { id } = prepared.fields;
      rememberOwn(id);
      setRim(sealRim(id));
      showReady({
        linkFragment: prepared.linkFragment,
        receiptFragment: prepared.receiptFragment,
        receiptBearer: formatReceiptBearer(id, prepared.receiptToken),
        expiresAt: new Date(expiresAt),
        passphrase: prepared.fields.passphrase,
        newlineDropped: dropped,
      });
      attempt = undefined;
      form.reset();
    } catch (error) {
      if (error instanceof ApiProblem && error.body.code === "conflict") attempt = undefined;
      button.dataset.failed = "";
      const failure =
        error instanceof WorkerLoadError || error instanceof UnsealableError
          ? error.message
          : "We couldn't save it. Your text is still here.";
      showProblem(explain(error, failure), button);
    }
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    delete button.dataset.failed;
    await press(button, "Encrypting…", create);
    button.textContent = "failed" in button.dataset ? "Try again" : "Create link";
  });

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
