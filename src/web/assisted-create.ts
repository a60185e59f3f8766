import { type ErrorRequestHandler, type NextFunction, type Request, type Response, Router } from "express";
import { formatRules } from "../access/rules.ts";
import { type Bytes, wipe } from "../envelope/bytes.ts";
import type { Part } from "../envelope/parts.ts";
import { sealRim } from "../envelope/rim.ts";
import { toldWords } from "../envelope/rule-words.ts";
import { prepareSecret } from "../envelope/sender.ts";
import { formatBytes } from "../envelope/size-words.ts";
import { parseTtl } from "../envelope/tokens.ts";
import type { NewSecret } from "../store/store.ts";
import { assistedLimit } from "./assisted-limit.ts";
import { storedRuleWords } from "./assisted-receipt-page.ts";
import { createByteBudget } from "./byte-budget.ts";
import { clientAddress } from "./client-address.ts";
import { issueFormToken } from "./csrf.ts";
import { demandErrors } from "./demand-errors.ts";
import { decodeText, parseForm, readFormBody, textOf, withUnixLineEnds } from "./form-body.ts";
import {
  type AssistedDeps,
  asFormError,
  checkFormToken,
  FormError,
  SEND,
  type SendPage,
} from "./form-page.ts";
import { type FormFile, type MultipartForm, readMultipart } from "./multipart-body.ts";
import { parseEnteredSender } from "./notify-form.ts";
import { onceOver } from "./once-over.ts";
import { ttlChoices } from "./pages.ts";
import { Problem } from "./problem.ts";
import {
  describeEnteredRules,
  type EnteredRules,
  NO_RULES,
  parseEnteredRules,
  readEnteredRules,
} from "./rules-form.ts";
import { formatTime } from "./secret-state.ts";
import { timeWords } from "./state-words.ts";
import { storeSealed } from "./store-sealed.ts";

/** What was typed, to be put back into the form when something is wrong with it. */
interface Entered {
  readonly secret: Bytes;
  readonly passphrase: string;
  readonly rules: EnteredRules;
  /** Who is told what becomes of it, and what it is called there. */
  readonly email: string;
  readonly label: string;
  readonly ttl: number;
  readonly files: readonly FormFile[];
  readonly tooLarge: boolean;
}

type Terms = Pick<NewSecret, "ttl" | "rules" | "sender">;

const OTHER_FIELDS = 8192;
/** Percent-encoding makes three bytes of one. */
const ENCODED = 3;
/** A browser sends this form as multipart; who sends it the other way sends text alone. */
const MAX_TEXT = 1_048_576;
/** So many forms of the largest size may be in memory at once. */
const LARGEST_AT_ONCE = 3;
/** A part's headers: the name of a file, mostly. */
const PER_FILE = 4096;

export function createAssistedCreate(deps: AssistedDeps, send: SendPage): Router {
  const { config, store, limits, gate, hashPassphrase, log, clock } = deps;
  const { basePath } = config;
  const [base, linkBase] = [config.publicUrl, config.linkUrl].map(({ href }) => href.replace(/\/$/, ""));
  const knowsCountries = config.geoipDb !== undefined;
  const router = Router({ caseSensitive: true, strict: true });
  const largest = assistedLimit(config);
  const longestBody = largest + OTHER_FIELDS + config.maxFiles * PER_FILE;
  const budget = createByteBudget(LARGEST_AT_ONCE * longestBody);
  const nothing: Entered = {
    secret: new Uint8Array(0),
    passphrase: "",
    rules: NO_RULES,
    email: "",
    label: "",
    ttl: config.defaultTtl,
    files: [],
    tooLarge: false,
  };
  const longestText = Math.min(largest, MAX_TEXT) * ENCODED + OTHER_FIELDS;

  function sendForm(request: Request, response: Response, entered: Entered, error?: FormError): void {
    if (error) response.status(error.status).set(error.headers);
    const data = {
      action: `${basePath}/assisted`,
      openHref: `${basePath}/assisted/open`,
      canOpen: config.role === "both",
      basePath,
      maxFiles: config.maxFiles,
      maxBytesWords: formatBytes(largest),
      csrf: issueFormToken(request, response),
      problem: error && { field: error.field, words: error.message },
      secret: decodeText(entered.secret),
      passphrase: entered.passphrase,
      requirePassphrase: config.requirePassphrase,
      knowsCountries,
      rules: describeEnteredRules(entered.rules),
      mail: config.mail !== undefined,
      email: entered.email,
      label: entered.label,
      ttlChoices: ttlChoices(config, gate.demands.maxTtl(clientAddress(request)), entered.ttl),
    };
    send(response, "assisted-create", data, { title: `${error ? "Error: " : ""}Let the server encrypt it` });
  }

  function checkEntered(request: Request, entered: Entered): Terms {
    const { secret, passphrase, ttl, files, tooLarge } = entered;
    const size = files.reduce((sum, { bytes }) => sum + bytes.length, secret.length);
    if (tooLarge || size > largest) {
      const limit = `The limit is ${formatBytes(largest)} in all, in at most ${config.maxFiles} files.`;
      throw new FormError("secret", `This is too much for one secret. ${limit}`, 413);
    }
    if (secret.length === 0 && files.length === 0) {
      throw new FormError("secret", config.maxFiles > 0 ? "Enter a secret or add a file" : "Enter a secret");
    }
    const parsed = parseTtl(ttl, config.maxTtl);
    if (!parsed) throw new FormError("ttl", "Choose when it is deleted");
    const now = clock();
    const rules = parseEnteredRules(entered.rules, { now, expiresAt: now + parsed * 1_000, knowsCountries });
    const [wrong] = demandErrors(deps, request, { ttl: parsed, passphrase: passphrase !== "", rules });
    if (wrong)
      throw new FormError(FORM_FIELDS[wrong.field] ?? "secret", FORM_WORDS[wrong.field] ?? wrong.message);
    const sender = parseEnteredSender(entered.email, entered.label, config.mail);
    return { ttl: parsed, ...(rules ? { rules: formatRules(rules) } : {}), ...(sender ? { sender } : {}) };
  }

  async function create(response: Response, entered: Entered, terms: Terms): Promise<void> {
    const { passphrase } = entered;
    const prepared = await prepareSecret(partsOf(entered), passphrase, hashPassphrase);
    const result = await storeSealed(store, prepared, terms);
    wipe(prepared.receiptToken);
    if (result.kind === "conflict") throw new FormError(SEND, "It could not be saved. Send it again.", 409);
    const data = {
      link: `${linkBase}/s#${prepared.linkFragment}`,
      receipt: `${base}/r#${prepared.receiptFragment}`,
      expires: formatTime(result.expiresAt),
      expiresWords: timeWords(result.expiresAt),
      passphrase: passphrase !== "",
      terms: [...storedRuleWords(terms.rules), ...(terms.sender ? [toldWords(entered.email)] : [])],
      openHref: `${basePath}/assisted/open`,
      createHref: `${basePath}/assisted`,
    };
    send(response, "assisted-created", data, {
      title: "Your link is ready",
      rim: sealRim(prepared.identity.id),
    });
  }

  async function readForm(request: Request): Promise<MultipartForm> {
    if (request.is("multipart/form-data")) {
      return readMultipart(request, { maxBytes: longestBody, maxFiles: config.maxFiles });
    }
    return { fields: parseForm(await readFormBody(request, longestText)), files: [], tooLarge: false };
  }

  router.get("/assisted", gate.creating, (request, response) => sendForm(request, response, nothing));
  router.post(
    "/assisted",
    // Before the body: however many forms an address sends at once, only so many are kept in memory.
    limits.create,
    gate.creating,
    async (request: Request, response: Response, next: NextFunction) => {
      const length = Number(request.get("Content-Length") ?? longestBody);
      onceOver(response, budget(Math.min(length, longestBody)));
      const { fields, files, tooLarge } = await readForm(request);
      // Too large by far: nobody reads the rest.
      if (!request.complete) response.set("Connection", "close");
      const entered: Entered = {
        secret: withUnixLineEnds(fields.get("secret") ?? new Uint8Array(0)),
        passphrase: textOf(fields, "passphrase"),
        rules: readEnteredRules(fields),
        email: textOf(fields, "notify-email").trim(),
        label: textOf(fields, "notify-label").trim(),
        ttl: Number(textOf(fields, "ttl")),
        files,
        tooLarge,
      };
      try {
        checkFormToken(request, textOf(fields, "csrf"));
        await create(response, entered, checkEntered(request, entered));
      } catch (error) {
        const shown = asFormError(error, log);
        if (!shown) return next(error);
        sendForm(request, response, entered, shown);
      } finally {
        wipe(entered.secret, ...fields.values(), ...files.map(({ bytes }) => bytes));
      }
    },
  );
  router.use("/assisted", tellOfReload);
  return router;
}

/**
 * What was refused before its form was read can't be put back into one. The browser still has it, and
 * sends it again when the answer is reloaded; going back to the form would empty it.
 */
const tellOfReload: ErrorRequestHandler = (error, request, _response, next) => {
  if (request.method !== "POST" || !(error instanceof Problem)) return next(error);
  const { code, message, headers } = error;
  if (code !== "limited" && code !== "unavailable") return next(error);
  const again = "Nothing was saved. To send what you entered again, reload this page then; don't go back.";
  next(new Problem(code, `${message} ${again}`, { headers }));
};

/** What of `demandErrors` a form of ours can bring about, by the id of its field and in a person's words. */
const FORM_FIELDS: Readonly<Record<string, string>> = {
  ttl: "ttl",
  passphrase: "passphrase",
  "rules.notBefore": "not-before",
};
const FORM_WORDS: Readonly<Record<string, string>> = {
  ttl: "Choose when it is deleted",
  passphrase: "Enter a passphrase: this server takes no secret without one",
  "rules.notBefore": "Choose a time before the secret is deleted",
};

/** The text first, as a page's script orders them. */
function partsOf({ secret, files }: Entered): Part[] {
  const text: Part[] = secret.length > 0 ? [{ kind: "text", size: secret.length, content: secret }] : [];
  return [
    ...text,
    ...files.map(
      ({ name, type, bytes }): Part => ({ kind: "file", name, type, size: bytes.length, content: bytes }),
    ),
  ];
}
