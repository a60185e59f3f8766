import { type NextFunction, type Request, type Response, Router } from "express";
import { wipe } from "../envelope/bytes.ts";
import { parseReceiptFragment } from "../envelope/tokens.ts";
import type { SecretRecord } from "../store/store.ts";
import { isLockOf, lastLock, type SendReceipt } from "./assisted-receipt-page.ts";
import { createAuthenticate, receiptHolder } from "./bearer.ts";
import { issueFormToken } from "./csrf.ts";
import { createFormBody, parseForm, textOf } from "./form-body.ts";
import {
  type AssistedDeps,
  asFormError,
  checkFormToken,
  FormError,
  fragmentOf,
  type SendPage,
} from "./form-page.ts";
import { countAgainst } from "./limits.ts";
import { notFound, Problem } from "./problem.ts";
import { createReceiptActs } from "./receipt-acts.ts";

const FORM_BYTES = 16_384;

const ACTS = {
  look: { heading: "What became of it", button: "Look again", irreversible: false },
  delete: { heading: "Delete this secret", button: "Delete now", irreversible: true },
  unlock: { heading: "Unlock this secret", button: "Unlock", irreversible: false },
} as const;
type Act = keyof typeof ACTS;

const DONE = {
  delete: "The secret is gone and the link no longer opens.",
  unlock: "Unlocked. The link opens it again, for whoever has the passphrase.",
} as const;

const LOCKED_AGAIN = "It was locked again after that. It is still locked.";
const OTHER_LOCK = "This is not the lock that you saw before. It is still locked.";

/** What was sent, to be put back into a form when it could not be done. */
interface Entered {
  readonly act: Act;
  readonly receipt: string;
  /** `lastLock` of the receipt on which Unlock was pressed first: who sends it may have put in another since. */
  readonly locked: string;
}

interface Outcome {
  readonly record: SecretRecord;
  readonly notice?: string;
  readonly status?: number;
}

/** A button that we don't know is not pressed. */
function parseAct(sent: string): Act {
  return sent === "delete" || sent === "unlock" ? sent : "look";
}

/** What the sender can do on a receipt. All of it comes in a form's body: the receipt is in no address. */
export function createAssistedReceipt(deps: AssistedDeps, send: SendPage, sendReceipt: SendReceipt): Router {
  const { config, store, limits, audit, log } = deps;
  const address = `${config.basePath}/assisted/receipt`;
  const authenticate = createAuthenticate(store, audit);
  const acts = createReceiptActs(deps);
  const router = Router({ caseSensitive: true, strict: true });

  function sendForm(request: Request, response: Response, entered: Entered, error: FormError): void {
    const { act, receipt, locked } = entered;
    const data = {
      ...ACTS[act],
      action: address,
      csrf: issueFormToken(request, response),
      act,
      receipt,
      locked,
      problem: { field: error.field, words: error.message },
    };
    response.status(error.status).set(error.headers);
    send(response, "assisted-act", data, { title: `Error: ${ACTS[act].heading}` });
  }

  async function carryOut({ act, locked }: Entered, before: SecretRecord): Promise<Outcome> {
    if (act === "look") return { record: before };
    // Reloading the answer sends its form again. That must not give somebody who guesses new tries.
    if (act === "unlock" && before.state === "sealed") return { record: before, notice: "It is not locked." };
    if (act === "unlock" && before.state === "locked" && lastLock(before) !== locked)
      return { record: before, notice: isLockOf(before, locked) ? LOCKED_AGAIN : OTHER_LOCK };
    try {
      return { record: await acts[act](before.id), notice: DONE[act] };
    } catch (error) {
      if (!(error instanceof Problem && error.code === "ended")) throw error;
      const record = await store.read(before.id);
      if (!record) throw notFound();
      return { record, notice: `There is nothing left to ${act}.`, status: error.status };
    }
  }

  // Whoever goes to the address of an answer comes to where a receipt is pasted.
  router.get("/assisted/receipt", (_request, response) =>
    response.redirect(303, `${config.basePath}/assisted/open`),
  );
  router.post(
    "/assisted/receipt",
    createFormBody(FORM_BYTES),
    async (request: Request, response: Response, next: NextFunction) => {
      const fields = parseForm(request.body);
      const entered: Entered = {
        act: parseAct(textOf(fields, "act")),
        receipt: textOf(fields, "receipt"),
        locked: textOf(fields, "locked"),
      };
      try {
        checkFormToken(request, textOf(fields, "csrf"));
        await countAgainst(limits.open, request, response);
        const receipt = parseReceiptFragment(fragmentOf(entered.receipt));
        if (!receipt)
          throw new FormError(
            "receipt",
            "Part of this receipt is missing. Copy the whole address, with everything after #. Nothing was changed.",
          );
        const before = await authenticate(await receiptHolder(receipt));
        const { record, notice, status = 200 } = await carryOut(entered, before);
        sendReceipt(request, response.status(status), record, entered.receipt, notice);
      } catch (error) {
        const shown = asFormError(error, log, "receipt");
        if (!shown) return next(error);
        sendForm(request, response, entered, shown);
      } finally {
        wipe(...fields.values());
      }
    },
  );
  return router;
}
