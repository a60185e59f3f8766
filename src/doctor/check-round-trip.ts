import type { Config } from "../config/config.ts";
import { argon2id } from "../envelope/argon2id.ts";
import { encodeBase64url } from "../envelope/base64url.ts";
import type { Bytes } from "../envelope/bytes.ts";
import { deriveLinkKeys, type PassphraseHash } from "../envelope/keys.ts";
import { parseFragment } from "../envelope/link.ts";
import { textPart } from "../envelope/parts.ts";
import { gather } from "../envelope/seal.ts";
import { prepareSecret } from "../envelope/sender.ts";
import {
  createClaim,
  formatLinkBearer,
  formatReceiptBearer,
  MIN_TTL,
  parseShare,
} from "../envelope/tokens.ts";
import { unsealWhole } from "../envelope/unseal.ts";
import { type Check, type Finding, ok, problem, skipped, warning } from "./finding.ts";
import { type Answer, createHttpClient, type HttpClient, NoAnswerError } from "./http-client.ts";
import type { HttpSubject } from "./http-subject.ts";

const TEXT = "A text that waxseal doctor sealed to see whether it comes back";

/** The server said something else than it should have. Holds a step and a status, nothing of the secret. */
class StepError extends Error {
  override readonly name = "StepError";
  readonly step: string;
  readonly status: number;
  /** Of a problem of the server's own. */
  readonly code: string | undefined;
  readonly wantsPassphrase: boolean;
  constructor(step: string, { status, body }: Answer) {
    const text = body.toString("utf8");
    const code = /"code":"([a-z-]+)"/.exec(text)?.[1];
    super(`${step} answered ${status}${code === undefined ? "" : ` (${code})`}`);
    this.step = step;
    this.status = status;
    this.code = code;
    this.wantsPassphrase = code === "invalid" && text.includes('"field":"passphrase"');
  }
}

const PASSPHRASE = "doctor";

/** Sender and recipient stretch the same passphrase with the same salt; once is slow enough. */
function createHash(): PassphraseHash {
  let stretched: Bytes | undefined;
  return async (passphrase, salt) => {
    stretched ??= argon2id(passphrase, salt);
    return stretched.slice();
  };
}

const jsonOf = ({ body }: Answer): Record<string, unknown> => JSON.parse(body.toString("utf8"));

async function step(name: string, status: number, answer: Promise<Answer>): Promise<Answer> {
  const got = await answer;
  if (got.status !== status) throw new StepError(name, got);
  return got;
}

/**
 * As sender and recipient do it, with the very code of the pages; `opener` is where links lead. Throws
 * StepError and what the envelope throws.
 */
async function roundTrip(http: HttpClient, opener: HttpClient, passphrase: string): Promise<void> {
  const hash = createHash();
  const prepared = await prepareSecret([textPart(TEXT)], passphrase, hash);
  const blob = encodeBase64url(await gather(prepared.sealing));
  const receipt = {
    Authorization: `Bearer ${formatReceiptBearer(prepared.fields.id, prepared.receiptToken)}`,
  };
  await step(
    "create",
    201,
    http.ask("/api/v1/secrets", { method: "POST", json: { ...prepared.fields, ttl: MIN_TTL, blob } }),
  );
  try {
    const keys = await deriveLinkKeys(await parseFragment(prepared.linkFragment));
    const unlocked = await keys.unlock(passphrase === "" ? undefined : passphrase, hash);
    const link = { Authorization: `Bearer ${formatLinkBearer(keys.id, keys.linkProof)}` };
    await step("state", 200, opener.ask("/api/v1/secret", { headers: link }));
    const ciphertext = (await step("blob", 200, opener.ask("/api/v1/secret/blob", { headers: link }))).body;
    const claim = encodeBase64url(createClaim());
    const access = encodeBase64url(unlocked.accessProof);
    const opening = { method: "POST", headers: link, json: { access, claim } } as const;
    const opened = await step("open", 200, opener.ask("/api/v1/secret/open", opening));
    const share = parseShare(jsonOf(opened).share);
    if (share === undefined) throw new StepError("open", opened);
    const [part] = await unsealWhole(unlocked, share, new Uint8Array(ciphertext));
    if (part === undefined || Buffer.from(part.bytes).toString("utf8") !== TEXT)
      throw new StepError("open", opened);
    await step(
      "ack",
      204,
      opener.ask("/api/v1/secret/ack", { method: "POST", headers: link, json: { claim } }),
    );
    const told = await step("receipt", 200, http.ask("/api/v1/receipt", { headers: receipt }));
    if (jsonOf(told).state !== "opened") throw new StepError("receipt", told);
    const again = { method: "POST", headers: link, json: { access } } as const;
    await step("a second open", 410, opener.ask("/api/v1/secret/open", again));
  } catch (error) {
    // It would be gone in a minute anyway.
    await http.ask("/api/v1/receipt/secret", { method: "DELETE", headers: receipt }).catch(() => {});
    throw error;
  }
}

/** What an operator may well want so, and how to look all the same. */
function accessHint({ step, code }: StepError, { linkUrl }: Config, apart: boolean): Finding | undefined {
  if (step === "create" && code === "not-found") {
    return skipped("this instance only opens (ROLE=open). Run the doctor where secrets are created.");
  }
  if (step === "create" && code === "refused") {
    return warning(
      "this machine may not create there. Run the doctor on one that CREATE_ALLOW_CIDRS names, or add this one.",
    );
  }
  if (step === "state" && code === "not-found") {
    return problem(
      apart
        ? `what was created can't be found at ${linkUrl.href}. Give both instances the same REDIS_URL and REDIS_KEY_PREFIX, or correct LINK_URL.`
        : "what was created can't be found again. If this instance only creates (ROLE=create), run the doctor with its settings, LINK_URL among them.",
    );
  }
  if (step === "open" && code === "refused") {
    return warning(
      "a secret was sealed, and this machine may not open it. Run the doctor on one that OPEN_ALLOW_CIDRS names, or add this one.",
    );
  }
  return undefined;
}

export const checkRoundTrip: Check<HttpSubject> = {
  name: "round trip",
  async run({ config, http, direct }) {
    const apart = !direct && config.linkUrl.href !== config.publicUrl.href;
    const opener = apart ? createHttpClient(config.linkUrl) : http;
    const go = (passphrase: string) => roundTrip(http, opener, passphrase);
    try {
      await go(config.requirePassphrase ? PASSPHRASE : "").catch((error: unknown) => {
        if (error instanceof StepError && error.wantsPassphrase) return go(PASSPHRASE);
        throw error;
      });
      return [ok("a secret was sealed, opened once and read, and its receipt says so")];
    } catch (error) {
      if (error instanceof StepError && error.status === 429) {
        return [warning("this address has used its rate limit up. Wait, and run this again.")];
      }
      const hint = error instanceof StepError ? accessHint(error, config, apart) : undefined;
      if (hint !== undefined) return [hint];
      if (error instanceof NoAnswerError && apart) {
        return [problem(`${config.linkUrl.href} does not answer: ${error.message}. Correct LINK_URL.`)];
      }
      // Other messages might quote what was answered, such as the share.
      const told = error instanceof StepError || error instanceof NoAnswerError;
      const reason = told ? error.message : error instanceof Error ? error.name : "unknown";
      return [problem(`a secret did not come back: ${reason}. The server's log says more at that time.`)];
    }
  },
};
