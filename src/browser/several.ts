import { UnsealableError } from "../envelope/errors.ts";
import { deleteSecret, explain, mayPass } from "./api.ts";
import { beginAttempt } from "./attempt.ts";
import { CancelledError, guarded } from "./cancellable.ts";
import { copy } from "./clipboard.ts";
import { announce, element, fill, formatTime, markTitle, press, setSeal, setTitle, show } from "./dom.ts";
import {
  forgetLink,
  isRemembering,
  readLinks,
  rememberLink,
  setRemembering,
  watchLinks,
} from "./my-links.ts";
import { rememberOwn } from "./own-secrets.ts";
import { showPassphraseStep } from "./passphrase-step.ts";
import type { Recipients } from "./recipients.ts";
import { WorkerLoadError } from "./start-worker.ts";

/** Those of our own errors whose message is meant for people. */
export function ownWords(error: unknown): string | undefined {
  return error instanceof WorkerLoadError || error instanceof UnsealableError ? error.message : undefined;
}

/** A link for each person. The code for that is loaded when it is first needed, and finds here what the page holds anyway. */
export async function makeSeveral(recipients: Recipients): Promise<void> {
  const { makeRecipients } = await import("./recipients.ts").catch(() => {
    throw new WorkerLoadError(
      "The code for several recipients couldn't be loaded. Nothing was sent. Try again.",
    );
  });
  const ofPage = { announce, element, fill, formatTime, markTitle, press, setSeal, setTitle, show };
  await makeRecipients(recipients, {
    ...ofPage,
    beginAttempt,
    copy,
    deleteSecret,
    explain: (error, otherwise) => explain(error, ownWords(error) ?? otherwise),
    guarded,
    mayPass,
    cancelled: () => new CancelledError(),
    rememberOwn,
    showPassphraseStep,
    forgetLink,
    isRemembering,
    readLinks,
    rememberLink,
    setRemembering,
    watchLinks,
  });
}
