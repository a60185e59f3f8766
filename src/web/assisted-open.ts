import { type NextFunction, type Request, type Response, Router } from "express";
import { encodeBase64url } from "../envelope/base64url.ts";
import { wipe } from "../envelope/bytes.ts";
import { IncompleteLinkError, UnreadableError } from "../envelope/errors.ts";
import { distinctFileNames, NAMELESS } from "../envelope/file-name.ts";
import { deriveLinkKeys, type LinkKeys } from "../envelope/keys.ts";
import { isWholeBlob, maxBlobLength } from "../envelope/layout.ts";
import { parseFragment } from "../envelope/link.ts";
import { sealRim } from "../envelope/rim.ts";
import { formatBytes } from "../envelope/size-words.ts";
import { SUITE_PASSPHRASE } from "../envelope/suite.ts";
import {
  type ClaimToken,
  createClaim,
  hashAccessProof,
  hashLinkProof,
  parseClaim,
  parseReceiptFragment,
} from "../envelope/tokens.ts";
import { type UnsealedPart, unsealWhole } from "../envelope/unseal.ts";
import { MAX_READ, type SecretRecord, StoreUnavailableError } from "../store/store.ts";
import { hrefOf, sendZip } from "./assisted-files.ts";
import { assistedLimit } from "./assisted-limit.ts";
import type { SendReceipt } from "./assisted-receipt-page.ts";
import { createAuthenticate, receiptHolder } from "./bearer.ts";
import { createByteBudget } from "./byte-budget.ts";
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
import { onceOver } from "./once-over.ts";
import { shownBytes } from "./page-bytes.ts";
import { notFound, Problem } from "./problem.ts";
import { createReadBlob } from "./read-blob.ts";
import { ended } from "./secret-state.ts";
import { timeWords } from "./state-words.ts";

const FORM_BYTES = 16_384;
/** So many secrets of the largest size may be in memory at once. */
const LARGEST_AT_ONCE = 2;
/** Ciphertext and plaintext, or plaintext and answer. */
const COPIES = 2;
/** Of files in all: what a page carries in itself. Some browsers save no data address above 2 MB. */
const MAX_INLINE_FILES = 1_048_576;

const TITLES = {
  both: "Let the server decrypt it",
  open: "Let the server decrypt it",
  create: "What became of it",
} as const;

const LABELS = { both: "Link or receipt", open: "Link", create: "Receipt" } as const;

/** What was typed, to be put back into the form when something is wrong with it. */
interface Entered {
  readonly link: string;
  readonly passphrase: string;
  readonly claim: ClaimToken;
}

export function createAssistedOpen(deps: AssistedDeps, send: SendPage, sendReceipt: SendReceipt): Router {
  const { config, store, limits, gate, audit, hashPassphrase, log } = deps;
  const { basePath } = config;
  const authenticate = createAuthenticate(store, audit);
  const readBlob = createReadBlob(store);
  const largest = assistedLimit(config);
  const longestBlob = maxBlobLength(largest, config.maxFiles);
  const budget = createByteBudget(LARGEST_AT_ONCE * COPIES * longestBlob);
  const router = Router({ caseSensitive: true, strict: true });

  function sendForm(request: Request, response: Response, entered: Entered, error?: FormError): void {
    if (error) response.status(error.status).set(error.headers);
    const data = {
      action: `${basePath}/assisted/open`,
      role: config.role,
      label: LABELS[config.role],
      csrf: issueFormToken(request, response),
      claim: encodeBase64url(entered.claim),
      link: entered.link,
      passphrase: entered.passphrase,
      problem: error && { field: error.field, words: error.message },
    };
    send(response, "assisted-open", data, { title: `${error ? "Error: " : ""}${TITLES[config.role]}` });
  }

  async function sendOpened(
    response: Response,
    keys: LinkKeys,
    parts: readonly UnsealedPart[],
  ): Promise<void> {
    const texts = parts.filter(({ kind }) => kind === "text");
    const files = parts.filter(({ kind }) => kind === "file");
    const names = distinctFileNames(files.map(({ name }) => name));
    // Not acknowledged: an answer that has left this machine has not arrived yet. After a lost one, sending
    // the form again brings the same claim, and gets the secret until the end of the window destroys it.
    if (files.reduce((sum, { size }) => sum + size, 0) > MAX_INLINE_FILES) {
      await sendZip(response, parts);
    } else {
      const shown = texts.map(({ bytes }) => shownBytes(bytes));
      const data = {
        texts: shown.map(({ word }) => word),
        files: files.map(({ bytes }, i) => ({ name: names[i] ?? NAMELESS, href: hrefOf(bytes) })),
      };
      const page = { title: "Here's your secret", seal: "opened", rim: sealRim(keys.id) } as const;
      send(response, "assisted-opened", data, page, shown);
    }
    wipe(...parts.map(({ bytes }) => bytes));
  }

  /** All of it in memory: what can't be held that way is told so while it is still sealed. */
  async function readWhole({ id, size }: SecretRecord): Promise<Uint8Array> {
    if (size > longestBlob) {
      const words = `This secret is larger than ${formatBytes(largest)}, too large for this page. It is still sealed: open the link in a browser with JavaScript.`;
      throw new FormError("link", words, 413);
    }
    const blob = new Uint8Array(size);
    for (let start = 0; start < size; start += MAX_READ) {
      blob.set(await readBlob({ id }, start, Math.min(start + MAX_READ, size)), start);
    }
    return blob;
  }

  async function linkKeysOf(fragment: string): Promise<LinkKeys> {
    try {
      return await deriveLinkKeys(await parseFragment(fragment));
    } catch (error) {
      if (!(error instanceof IncompleteLinkError)) throw error;
      throw new FormError("link", `${error.message} Nothing was opened.`);
    }
  }

  async function open(
    request: Request,
    response: Response,
    fragment: string,
    { passphrase, claim }: Entered,
  ): Promise<void> {
    const keys = await linkKeysOf(fragment);
    try {
      const linkHash = await hashLinkProof(keys.linkProof);
      const record = await authenticate({ id: keys.id, digest: linkHash, role: "link" });
      const passed = await gate.opening(request, record);
      const { id } = record;
      const needsPassphrase = keys.suite === SUITE_PASSPHRASE;
      if (needsPassphrase && passphrase === "") throw new FormError("passphrase", "Enter the passphrase");
      const access = await keys.unlock(needsPassphrase ? passphrase : undefined, hashPassphrase);
      onceOver(response, budget(COPIES * Math.min(record.size, longestBlob)));
      const blob = await readWhole(record);
      if (!isWholeBlob(blob, blob.length, keys.suite, id)) throw new StoreUnavailableError();
      const accessHash = await hashAccessProof(access.accessProof);
      const result = await store.open({ id, linkHash, accessHash, claim, ...passed });
      if (result.kind === "missing") throw notFound();
      if (result.kind === "ended") throw ended(result);
      if (result.kind === "locked") throw locked();
      if (result.kind === "wrong-passphrase") throw wrongPassphrase(result.triesLeft);
      const parts = await unsealWhole(access, result.share, blob).finally(() => {
        wipe(result.share, access.accessProof);
      });
      await sendOpened(response, keys, parts);
    } catch (error) {
      if (error instanceof UnreadableError) throw new FormError("link", error.message, 410);
      if (error instanceof Problem && error.members.notBefore !== undefined) {
        const from = timeWords(Date.parse(error.members.notBefore));
        throw new FormError("link", `It can be opened from ${from}. It is still sealed.`, error.status);
      }
      throw error;
    } finally {
      keys.wipe();
    }
  }

  router.get("/assisted/open", (request, response) =>
    sendForm(request, response, { link: "", passphrase: "", claim: createClaim() }),
  );
  router.post(
    "/assisted/open",
    createFormBody(FORM_BYTES),
    async (request: Request, response: Response, next: NextFunction) => {
      const fields = parseForm(request.body);
      const entered: Entered = {
        link: textOf(fields, "link"),
        passphrase: textOf(fields, "passphrase"),
        claim: parseClaim(textOf(fields, "claim")) ?? createClaim(),
      };
      try {
        checkFormToken(request, textOf(fields, "csrf"));
        await countAgainst(limits.open, request, response);
        const fragment = fragmentOf(entered.link);
        const receipt = parseReceiptFragment(fragment);
        // What this instance does not serve is not there.
        if (config.role === (receipt ? "open" : "create")) throw notFound();
        if (receipt) {
          sendReceipt(request, response, await authenticate(await receiptHolder(receipt)), entered.link);
        } else {
          await open(request, response, fragment, entered);
        }
      } catch (error) {
        const shown = asFormError(error, log, "link");
        if (!shown) return next(error);
        sendForm(request, response, entered, shown);
      } finally {
        wipe(...fields.values());
      }
    },
  );
  return router;
}

function locked(): FormError {
  return new FormError(
    "link",
    "Too many wrong passphrases. The secret is locked: only its sender can unlock it.",
    423,
  );
}

function wrongPassphrase(triesLeft: number): FormError {
  if (triesLeft === 0) return locked();
  const tries = triesLeft === 1 ? "1 try" : `${triesLeft} tries`;
  const words = `That passphrase is wrong. The secret is still sealed. ${tries} left.`;
  return new FormError("passphrase", words, 403);
}
