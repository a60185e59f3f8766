import { encodeBase64url } from "../envelope/base64url.ts";
import { deriveLinkKeys } from "../envelope/keys.ts";
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
import { type Check, ok, problem, warning } from "./finding.ts";
import { type Answer, type HttpClient, NoAnswerError } from "./http-client.ts";
import type { HttpSubject } from "./http-subject.ts";

const TEXT = "A text that waxseal doctor sealed to see whether it comes back";

/** The server said something else than it should have. Holds a step and a status, nothing of the secret. */
class StepError extends Error {
  override readonly name = "StepError";
  readonly status: number;
  constructor(step: string, { status, body }: Answer) {
    const code = /"code":"([a-z-]+)"/.exec(body.toString("utf8"))?.[1];
    super(`${step} answered ${status}${code === undefined ? "" : ` (${code})`}`);
    this.status = status;
  }
}

const noPassphrase = () => Promise.reject(new Error("This secret has no passphrase."));
const jsonOf = ({ body }: Answer): Record<string, unknown> => JSON.parse(body.toString("utf8"));

async function step(name: string, status: number, answer: Promise<Answer>): Promise<Answer> {
  const got = await answer;
  if (got.status !== status) throw new StepError(name, got);
  return got;
}

/** As sender and recipient do it, with the very code of the pages. Throws StepError and what the envelope throws. */
async function roundTrip(http: HttpClient): Promise<void> {
  const prepared = await prepareSecret([textPart(TEXT)], "", noPassphrase);
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
    const unlocked = await keys.unlock(undefined, noPassphrase);
    const link = { Authorization: `Bearer ${formatLinkBearer(keys.id, keys.linkProof)}` };
    await step("state", 200, http.ask("/api/v1/secret", { headers: link }));
    const ciphertext = (await step("blob", 200, http.ask("/api/v1/secret/blob", { headers: link }))).body;
    const claim = encodeBase64url(createClaim());
    const access = encodeBase64url(unlocked.accessProof);
    const opening = { method: "POST", headers: link, json: { access, claim } } as const;
    const opened = await step("open", 200, http.ask("/api/v1/secret/open", opening));
    const share = parseShare(jsonOf(opened).share);
    if (share === undefined) throw new StepError("open", opened);
    const [part] = await unsealWhole(unlocked, share, new Uint8Array(ciphertext));
    if (part === undefined || Buffer.from(part.bytes).toString("utf8") !== TEXT)
      throw new StepError("open", opened);
    await step(
      "ack",
      204,
      http.ask("/api/v1/secret/ack", { method: "POST", headers: link, json: { claim } }),
    );
    const told = await step("receipt", 200, http.ask("/api/v1/receipt", { headers: receipt }));
    if (jsonOf(told).state !== "opened") throw new StepError("receipt", told);
    const again = { method: "POST", headers: link, json: { access } } as const;
    await step("a second open", 410, http.ask("/api/v1/secret/open", again));
  } catch (error) {
    // It would be gone in a minute anyway.
    await http.ask("/api/v1/receipt/secret", { method: "DELETE", headers: receipt }).catch(() => {});
    throw error;
  }
}

export const checkRoundTrip: Check<HttpSubject> = {
  name: "round trip",
  async run({ http }) {
    try {
      await roundTrip(http);
      return [ok("a secret was sealed, opened once and read, and its receipt says so")];
    } catch (error) {
      if (error instanceof StepError && error.status === 429) {
        return [warning("this address has used its rate limit up. Wait, and run this again.")];
      }
      // Other messages might quote what was answered, such as the share.
      const told = error instanceof StepError || error instanceof NoAnswerError;
      const reason = told ? error.message : error instanceof Error ? error.name : "unknown";
      return [problem(`a secret did not come back: ${reason}. The server's log says more at that time.`)];
    }
  },
};
