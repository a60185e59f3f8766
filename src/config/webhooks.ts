import { z } from "zod";
import { NOTIFY_KINDS, type NotifyKind } from "./notify-kinds.ts";
import { ValueError } from "./value-error.ts";

export const WEBHOOK_FORMATS = ["standard", "slack", "teams", "mattermost", "ntfy"] as const;
export type WebhookFormat = (typeof WEBHOOK_FORMATS)[number];

/** One entry of WEBHOOKS. URL, secret and headers may all be what lets somebody post there. */
export interface WebhookConfig {
  /** `[a-z0-9-]`, at most 32 characters; no other entry has it. */
  readonly name: string;
  readonly url: string;
  readonly format: WebhookFormat;
  /** `whsec_` and the base64 of 24 to 64 bytes. */
  readonly secret: string | undefined;
  readonly events: readonly NotifyKind[];
  readonly headers: Readonly<Record<string, string>>;
}

/** What is told where nobody chooses: what became of a secret, and who was turned away. */
const DEFAULT_EVENTS: readonly NotifyKind[] = ["opened", "expired", "deleted", "locked", "lost", "refused"];

const MAX_WEBHOOKS = 20;
const MEMBERS = ["name", "url", "format", "secret", "events", "headers"];
/** Ours to set, or of one connection alone (RFC 9110, section 7.6.1). */
const OWN_HEADERS =
  /^(host|content-.*|transfer-encoding|connection|keep-alive|upgrade|te|trailer|expect|user-agent|proxy-.*|webhook-.*)$/i;

/** The bytes of a `whsec_…` secret; undefined for anything else. */
export function webhookKey(secret: string): Buffer | undefined {
  const [, base64] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? [];
  if (base64 === undefined) return undefined;
  const key = Buffer.from(base64, "base64");
  // Standard Webhooks, "Signature scheme": between 24 and 64 bytes.
  return key.toString("base64") === base64 && key.length >= 24 && key.length <= 64 ? key : undefined;
}

/** Without user, password and fragment: the first two belong into headers, the last is never sent. */
function isUsableUrl(text: string): boolean {
  if (!URL.canParse(text) || /[\s#]/.test(text)) return false;
  const { protocol, username, password } = new URL(text);
  return (protocol === "https:" || protocol === "http:") && username === "" && password === "";
}

const list = (values: readonly string[]) => values.join(", ");

const EVENTS = `events must be a list of ${list(NOTIFY_KINDS)}`;
const HEADERS = "headers must be an object of texts";

const headers = z
  .record(z.string(), z.string({ error: HEADERS }), { error: HEADERS })
  .refine((all) => Object.keys(all).every((name) => /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/.test(name)), {
    error: "headers has a name that HTTP does not allow",
  })
  .refine((all) => !Object.keys(all).some((name) => OWN_HEADERS.test(name)), {
    error: "headers names one that is set by itself (Host, Content-…, Connection, Webhook-… and the like)",
  })
  .refine((all) => Object.values(all).every((value) => /^[\x20-\x7e]{1,1024}$/.test(value)), {
    error: "headers has a value that is empty, too long or not plain ASCII on one line",
  });

const entry = z
  .strictObject(
    {
      name: z.string({ error: "name is missing" }).regex(/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/, {
        error: "name must be up to 32 of a-z, 0-9 and -, such as ops-chat",
      }),
      url: z.string({ error: "url is missing" }).refine(isUsableUrl, {
        error: "url must be an https:// address without user, password and #; credentials go into headers",
      }),
      format: z.enum(WEBHOOK_FORMATS, { error: `format must be one of ${list(WEBHOOK_FORMATS)}` }),
      secret: z
        .string({ error: "secret must be a text" })
        .refine((text) => webhookKey(text) !== undefined, {
          error:
            'secret must be whsec_ and the base64 of 24 to 64 bytes: echo "whsec_$(openssl rand -base64 32)"',
        })
        .optional(),
      events: z
        .array(z.enum(NOTIFY_KINDS, { error: EVENTS }), { error: EVENTS })
        .min(1, { error: "events is empty, so nothing would ever be sent; leave it out for the usual ones" })
        .optional(),
      headers: headers.optional(),
    },
    // A name that is not known is not repeated: it may be a secret in the wrong place.
    {
      error: ({ code }) =>
        code === "unrecognized_keys" ? `may only hold ${list(MEMBERS)}` : "must be an object",
    },
  )
  .refine(({ format, secret }) => format !== "standard" || secret !== undefined, {
    error: 'format standard needs a secret to sign with: echo "whsec_$(openssl rand -base64 32)"',
  })
  .transform(
    ({ secret, events = DEFAULT_EVENTS, headers: more = {}, url, ...rest }): WebhookConfig => ({
      ...rest,
      url: new URL(url).href,
      secret,
      events: [...new Set(events)],
      headers: more,
    }),
  );

function parseJson(text: string): readonly unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The engine's own words quote the text.
    throw new ValueError('is not JSON. Write [{"name": "…", "url": "https://…", "format": "slack"}].');
  }
  if (Array.isArray(value) && value.length > 0 && value.length <= MAX_WEBHOOKS) return value;
  throw new ValueError(
    `is not a list of 1 to ${MAX_WEBHOOKS} webhooks. Write [{"name": "…", "url": "https://…", "format": "slack"}].`,
  );
}

/**
 * The text of WEBHOOKS. Throws ValueError with every fault of every entry. An entry is named by its
 * place, and no value is repeated: URLs, secrets and headers let people in.
 */
export function parseWebhooks(text: string): readonly WebhookConfig[] {
  const problems: string[] = [];
  const webhooks: WebhookConfig[] = [];
  for (const [index, value] of parseJson(text).entries()) {
    const result = entry.safeParse(value);
    if (result.success) webhooks.push(result.data);
    const faults = result.success ? [] : result.error.issues.map(({ message }) => message);
    if (result.success && webhooks.findIndex(({ name }) => name === result.data.name) < webhooks.length - 1)
      faults.push("name is that of another one");
    // Several faults in one list of events are one thing to correct.
    for (const fault of new Set(faults)) problems.push(`Webhook ${index + 1}: ${fault}.`);
  }
  if (problems.length > 0) throw new ValueError(`can't be used. ${problems.join(" ")}`);
  return webhooks;
}
