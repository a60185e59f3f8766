import type { WebhookConfig } from "../config/webhooks.ts";
import { webhookKey } from "../config/webhooks.ts";
import { type Channel, DeliveryError } from "./channel.ts";
import type { NotifyEvent } from "./event.ts";
import { FORMATS } from "./formats.ts";
import { type Answer, postOnce } from "./post-once.ts";
import { createJudge, type Resolve, resolveJudged, resolveName } from "./reachable.ts";
import { signWebhook } from "./sign-webhook.ts";

export interface WebhookOptions {
  readonly webhook: WebhookConfig;
  /** Special-purpose addresses that it may lead to, as `parseNetwork` writes them. */
  readonly allowed: readonly string[];
  /** PEM: authorities besides the well-known ones. */
  readonly ca?: string | undefined;
  /** Whether events may show client addresses. */
  readonly addresses: boolean;
  readonly resolve?: Resolve;
  /** Milliseconds since 1970. */
  readonly clock?: () => number;
}

/** Seconds. Whoever asks for more is asked again after this. */
const LONGEST_WAIT = 3600;

/** Seconds, from `Retry-After` in either of its forms (RFC 9110, section 10.2.3). */
export function parseRetryAfter(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const isDate = /^[A-Z][a-z]{2}, [0-9]{2} .* GMT$/.test(text);
  const seconds = isDate
    ? Math.ceil((Date.parse(text) - now) / 1000)
    : /^[0-9]+$/.test(text)
      ? Number(text)
      : Number.NaN;
  return Number.isNaN(seconds) ? undefined : Math.min(LONGEST_WAIT, Math.max(0, seconds));
}

/** Node's or OpenSSL's code only: messages hold addresses and names. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && /^[A-Z0-9_]+$/.test(code) ? code : "unknown error";
}

function judgeAnswer(name: string, { status, retryAfter }: Answer, now: number): void {
  if (status >= 200 && status < 300) return;
  const said = `Webhook ${name} answered ${status}`;
  if (status >= 300 && status < 400) {
    const fix = "Write the address that it leads to into WEBHOOKS.";
    throw new DeliveryError(`${said}, a redirect, which is not followed. ${fix}`, { permanent: true });
  }
  if (status >= 400 && status < 500 && ![408, 425, 429].includes(status))
    throw new DeliveryError(`${said}. Check its entry in WEBHOOKS.`, { permanent: true });
  throw new DeliveryError(`${said}.`, { retryAfter: parseRetryAfter(retryAfter, now) });
}

/** Rejects with the signal's reason; `promise` goes on and nobody listens. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** Posts events to one address that the operator set. Its name is resolved and judged for each attempt. */
export function createWebhookChannel(options: WebhookOptions): Channel {
  const { webhook, allowed, ca, addresses, resolve = resolveName, clock = Date.now } = options;
  const { name, format, events, secret } = webhook;
  const url = new URL(webhook.url);
  const key = secret === undefined ? undefined : webhookKey(secret);
  if (secret !== undefined && key === undefined)
    throw new TypeError(`Webhook ${name}: the secret is not whsec_ and base64.`);
  const judge = createJudge(allowed);

  async function findAddresses(signal: AbortSignal) {
    const found = await untilAborted(resolveJudged(url, judge, resolve), signal);
    if ("addresses" in found) return found.addresses;
    // DNS may be right again by the next attempt, and nothing was connected to.
    throw new DeliveryError(
      `Webhook ${name} leads to an address that is private, special, or reached over plain http. ` +
        "Correct its url, or list the address in WEBHOOK_ALLOW_CIDRS.",
    );
  }

  async function post(event: NotifyEvent, id: string, signal: AbortSignal): Promise<Answer> {
    const { address, email: _, ...rest } = event;
    const shown = addresses && address !== undefined ? { ...rest, address } : rest;
    const { contentType, body, headers } = FORMATS[format](shown);
    const found = await findAddresses(signal);
    const seconds = Math.floor(clock() / 1000);
    return postOnce({
      url,
      addresses: found,
      ca,
      signal,
      body,
      headers: {
        ...headers,
        ...webhook.headers,
        "Content-Type": contentType,
        "Content-Length": Buffer.byteLength(body),
        "User-Agent": "Waxseal",
        "webhook-id": id,
        "webhook-timestamp": String(seconds),
        ...(key === undefined ? {} : { "webhook-signature": signWebhook(key, id, seconds, body) }),
      },
    });
  }

  return {
    name: `webhook-${name}`,
    kind: "webhook",
    wants: ({ kind }) => events.includes(kind),
    async deliver(event, id, _attempt, signal) {
      let answer: Answer;
      try {
        answer = await post(event, id, signal);
      } catch (error) {
        if (error instanceof DeliveryError) throw error;
        if (signal.aborted) throw new DeliveryError(`Webhook ${name} did not answer in time.`);
        throw new DeliveryError(`Webhook ${name} can't be reached (${codeOf(error)}).`);
      }
      judgeAnswer(name, answer, clock());
    },
  };
}
