import { type NextFunction, type Request, type Response, Router } from "express";
import { type Bytes, wipe } from "../envelope/bytes.ts";
import { sealRim } from "../envelope/rim.ts";
import { gather } from "../envelope/seal.ts";
import { prepareSecret } from "../envelope/sender.ts";
import { parseTtl, type TtlSeconds } from "../envelope/tokens.ts";
import { issueFormToken } from "./csrf.ts";
import { createFormBody, decodeText, parseForm, textOf, withUnixLineEnds } from "./form-body.ts";
import { type AssistedDeps, asFormError, checkFormToken, FormError, type SendPage } from "./form-page.ts";
import { ttlChoices } from "./pages.ts";
import { formatTime } from "./secret-state.ts";
import { timeWords } from "./state-words.ts";

/** What was typed, to be put back into the form when something is wrong with it. */
interface Entered {
  readonly secret: Bytes;
  readonly passphrase: string;
  readonly ttl: number;
}

const OTHER_FIELDS = 8192;
/** Percent-encoding makes three bytes of one. */
const ENCODED = 3;

export function createAssistedCreate(deps: AssistedDeps, send: SendPage): Router {
  const { config, store, limits, hashPassphrase } = deps;
  const { basePath } = config;
  const base = config.publicUrl.href.replace(/\/$/, "");
  const router = Router({ caseSensitive: true, strict: true });
  const nothing: Entered = { secret: new Uint8Array(0), passphrase: "", ttl: config.defaultTtl };

  function sendForm(request: Request, response: Response, entered: Entered, error?: FormError): void {
    if (error) response.status(error.status).set(error.headers);
    const data = {
      action: `${basePath}/assisted`,
      openHref: `${basePath}/assisted/open`,
      basePath,
      csrf: issueFormToken(request, response),
      problem: error && { field: error.field, words: error.message },
      secret: decodeText(entered.secret),
      passphrase: entered.passphrase,
      ttlChoices: ttlChoices(config, entered.ttl),
    };
    send(response, "assisted-create", data, { title: `${error ? "Error: " : ""}Let the server encrypt it` });
  }

  function checkEntered({ secret, ttl }: Entered): TtlSeconds {
    if (secret.length === 0) throw new FormError("secret", "Enter a secret");
    if (secret.length > config.maxSecretBytes) {
      const limit = `Your text has ${secret.length} bytes. The limit is ${config.maxSecretBytes}.`;
      throw new FormError("secret", limit, 413);
    }
    const parsed = parseTtl(ttl, config.maxTtl);
    if (!parsed) throw new FormError("ttl", "Choose when it is deleted");
    return parsed;
  }

  async function create(response: Response, { secret, passphrase }: Entered, ttl: TtlSeconds): Promise<void> {
    const part = { kind: "text", size: secret.length, content: secret } as const;
    const prepared = await prepareSecret([part], passphrase, hashPassphrase);
    const blob = await gather(prepared.sealing);
    const result = await store.create({ ...prepared.identity, blob, ttl });
    wipe(prepared.identity.share, prepared.receiptToken);
    if (result.kind === "conflict")
      throw new FormError("secret", "It could not be saved. Send it again.", 409);
    const data = {
      link: `${base}/s#${prepared.linkFragment}`,
      receipt: `${base}/r#${prepared.receiptFragment}`,
      expires: formatTime(result.expiresAt),
      expiresWords: timeWords(result.expiresAt),
      passphrase: passphrase !== "",
      openHref: `${basePath}/assisted/open`,
      createHref: `${basePath}/assisted`,
    };
    send(response, "assisted-created", data, {
      title: "Your link is ready",
      rim: sealRim(prepared.identity.id),
    });
  }

  router.get("/assisted", (request, response) => sendForm(request, response, nothing));
  router.post(
    "/assisted",
    // Before the body: however many forms an address sends at once, only so many are kept in memory.
    limits.create,
    createFormBody(config.maxSecretBytes * ENCODED + OTHER_FIELDS),
    async (request: Request, response: Response, next: NextFunction) => {
      const fields = parseForm(request.body);
      const entered: Entered = {
        secret: withUnixLineEnds(fields.get("secret") ?? new Uint8Array(0)),
        passphrase: textOf(fields, "passphrase"),
        ttl: Number(textOf(fields, "ttl")),
      };
      try {
        checkFormToken(request, textOf(fields, "csrf"), "secret");
        const ttl = checkEntered(entered);
        await create(response, entered, ttl);
      } catch (error) {
        const shown = asFormError(error, "secret");
        if (!shown) return next(error);
        sendForm(request, response, entered, shown);
      } finally {
        wipe(entered.secret, ...fields.values());
      }
    },
  );
  return router;
}
