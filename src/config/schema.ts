import { z } from "zod";
import type { Kind } from "./kinds.ts";
import * as kinds from "./kinds.ts";

/**
 * Where a setting's text comes from: `value`, the variable itself; `value-or-file`, or else the file
 * named by NAME_FILE, for what holds a secret; `contents`, the file that the variable names.
 */
export type Source = "value" | "value-or-file" | "contents";

export interface Documentation {
  readonly kind: string;
  readonly default: string | undefined;
  /** Said instead of a default where the default depends on other settings. */
  readonly defaultNote: string | undefined;
  readonly source: Source;
  readonly about: string;
}

const documentation = z.registry<Documentation>();

const day = 86_400;
const KiB = 2 ** 10;
const MiB = 2 ** 20;

/** Long enough for a holiday; a store of pending secrets is not an archive. */
const longestTtl = 30 * day;

/**
 * Every setting there is, in the order of the README. The parser, the README's table and the search
 * for misspelt names are all derived from this one table.
 */
export const settings = z.object({
  HOST: withDefault(
    kinds.hostName,
    "127.0.0.1",
    "Address to listen on. `0.0.0.0` or `::` for all; the image sets `0.0.0.0`.",
  ),
  PORT: withDefault(kinds.port, "8080", "Port to listen on."),
  PUBLIC_URL: optional(
    kinds.publicUrl,
    "Where people reach the service; the base of every link. A path is where the service is mounted.",
    { defaultNote: "`http://localhost:PORT`, `https` with TLS" },
  ),
  TRUST_PROXY: optional(
    kinds.trustProxy,
    "Which reverse proxies to believe about a client's address. `true` is refused: anybody could choose the address that rate limits count by.",
    { defaultNote: "none" },
  ),
  ROLE: withDefault(
    kinds.oneOf(["both", "create", "open"]),
    "both",
    "What this instance serves. `create`: creating and receipts, and nothing can be opened. `open`: only opening. Two instances on one Redis keep creating on the intranet while opening is public.",
  ),
  LINK_URL: optional(
    kinds.publicUrl,
    "Where links lead, where opening has an address of its own. Receipts stay at `PUBLIC_URL`.",
    { defaultNote: "`PUBLIC_URL`" },
  ),
  CREATE_ALLOW_CIDRS: optional(
    kinds.networks,
    "Who may create secrets. Behind a proxy this needs `TRUST_PROXY`.",
    { defaultNote: "anybody" },
  ),
  OPEN_ALLOW_CIDRS: optional(
    kinds.networks,
    "Who may open secrets, whatever their senders allow. Behind a proxy this needs `TRUST_PROXY`.",
    { defaultNote: "anybody" },
  ),
  GEOIP_DB: optional(
    kinds.databasePath,
    "Database that says which country an address is in, such as GeoLite2-Country or DB-IP Country Lite. With it, senders may choose countries.",
  ),
  TLS: withDefault(
    kinds.oneOf(["off", "self-signed"]),
    "off",
    "`self-signed` serves https with a certificate made at start, for a first try on an intranet.",
  ),
  TLS_CERT_FILE: optional(kinds.path, "Certificate chain to serve https with; needs `TLS_KEY_FILE`."),
  TLS_KEY_FILE: optional(kinds.path, "Private key of `TLS_CERT_FILE`."),
  REDIRECT_PORT: optional(
    kinds.port,
    "A second port that sends plain http on to `PUBLIC_URL`, which must then be https.",
  ),
  REDIS_URL: optional(
    kinds.redisUrl,
    "Redis to keep secrets in. Without it they are kept in the process and lost when it ends.",
    { source: "value-or-file" },
  ),
  KEYRING_REDIS_URL: optional(
    kinds.redisUrl,
    "A second, memory-only Redis for key shares, where the first one writes to disk.",
    { source: "value-or-file" },
  ),
  REDIS_USERNAME: optional(kinds.credential, "User at `REDIS_URL`, where the address holds none."),
  REDIS_PASSWORD: optional(kinds.credential, "Password at `REDIS_URL`, where the address holds none.", {
    source: "value-or-file",
  }),
  REDIS_SENTINEL_USERNAME: optional(kinds.credential, "User at the Sentinels of `REDIS_URL`."),
  REDIS_SENTINEL_PASSWORD: optional(kinds.credential, "Password at the Sentinels of `REDIS_URL`.", {
    source: "value-or-file",
  }),
  KEYRING_REDIS_USERNAME: optional(kinds.credential, "User at `KEYRING_REDIS_URL`."),
  KEYRING_REDIS_PASSWORD: optional(kinds.credential, "Password at `KEYRING_REDIS_URL`.", {
    source: "value-or-file",
  }),
  REDIS_CA_FILE: optional(
    kinds.pem,
    "Authorities to check the certificate of Redis by, instead of the well-known ones.",
    {
      source: "contents",
    },
  ),
  REDIS_CERT_FILE: optional(kinds.pem, "Client certificate shown to Redis; needs `REDIS_KEY_FILE`.", {
    source: "contents",
  }),
  REDIS_KEY_FILE: optional(kinds.pem, "Private key of `REDIS_CERT_FILE`.", { source: "contents" }),
  REDIS_SERVER_NAME: optional(
    kinds.serverName,
    "Name to expect in the certificate of Redis, where it is not the host's.",
  ),
  REDIS_KEY_PREFIX: optional(
    kinds.keyPrefix,
    "Put before every key, so that several installations share one Redis.",
  ),
  REDIS_WAIT_REPLICAS: withDefault(
    kinds.integer(0, 10),
    "0",
    "How many replicas must confirm before a secret counts as saved or is handed over. Set it to the number that may be promoted.",
  ),
  KEYRING_REDIS_WAIT_REPLICAS: withDefault(
    kinds.integer(0, 10),
    "0",
    "The same for `KEYRING_REDIS_URL`: how many replicas must have a key share before its secret counts as saved.",
  ),
  REDIS_WAIT_TIMEOUT: withDefault(
    kinds.milliseconds(50, 1000),
    "500ms",
    "How long replicas may take to confirm. After that the answer is “try again”.",
  ),
  TTL_CHOICES: withDefault(
    kinds.durations(60, longestTtl),
    "1h,4h,12h,24h,48h,72h",
    "Times to live that the page offers, none above `MAX_TTL`.",
  ),
  DEFAULT_TTL: withDefault(
    kinds.duration(60, longestTtl),
    "24h",
    "The one chosen beforehand; one of `TTL_CHOICES`.",
  ),
  MAX_TTL: withDefault(
    kinds.duration(60, longestTtl),
    "72h",
    "Longest time to live that is accepted from anybody.",
  ),
  MAX_TTL_BY_NETWORK: optional(
    kinds.networkTtls(60, longestTtl),
    "Longest time to live by client address, none above `MAX_TTL`. The first range that holds the address counts; where none does, `MAX_TTL`.",
  ),
  REQUIRE_PASSPHRASE: withDefault(kinds.onOff, "off", "`on`: no secret is accepted without a passphrase."),
  MAX_SECRET_BYTES: withDefault(
    kinds.size(KiB, 2048 * MiB),
    "25MiB",
    "Largest secret: its text and files together.",
  ),
  MAX_FILES: withDefault(kinds.integer(0, 1000), "100", "Most files in one secret. `0`: text only."),
  UPLOADS_MAX_BYTES: withDefault(
    kinds.size(MiB, 64 * 1024 * MiB),
    "1GiB",
    "What all unfinished uploads together may hold, over all replicas; never more than half of `STORE_BUDGET`. One that stops is given up after half an hour.",
  ),
  UPLOADS_PER_ADDRESS: withDefault(
    kinds.integer(1, 1000),
    "8",
    "Unfinished uploads per client address and replica.",
  ),
  RETENTION: withDefault(
    kinds.duration(60, 366 * day),
    "30d",
    "How long it is remembered what became of a secret. No content and no key is kept.",
  ),
  PASSPHRASE_TRIES: withDefault(kinds.integer(1, 100), "10", "Wrong passphrases until a secret is locked."),
  REDELIVERY_WINDOW: withDefault(
    kinds.duration(0, 600),
    "30s",
    "How long the browser that opened a secret may fetch it again after a lost connection. `0`: never.",
  ),
  RATE_LIMIT_CREATE: withDefault(
    kinds.rateLimit,
    "60/10m",
    "Attempts to create per client address, refused ones too.",
  ),
  RATE_LIMIT_OPEN: withDefault(kinds.rateLimit, "120/1m", "Attempts to open per client address."),
  RATE_LIMIT_MISS: withDefault(
    kinds.rateLimit,
    "30/1m",
    "Requests per client address for what is not there.",
  ),
  STORE_BUDGET: optional(
    kinds.storeBudget(MiB, 1024 * 1024 * MiB),
    "Memory from which on new secrets are refused, for each Redis; a percentage is of its `maxmemory`. Without `REDIS_URL`, a size: what the process may keep.",
    { defaultNote: "`80%`; `256MiB` without `REDIS_URL`" },
  ),
  SMTP_URL: optional(
    kinds.smtpUrl,
    "Mail server through which senders are told what became of their secrets. Needs `SMTP_FROM` and `SMTP_ALLOW_DOMAINS`.",
    { source: "value-or-file" },
  ),
  SMTP_FROM: optional(kinds.mailbox, "Sender of those mails."),
  SMTP_ALLOW_DOMAINS: optional(
    kinds.mailDomains,
    "Domains that may be written to. Who can create a secret can have a mail sent there.",
  ),
  SMTP_CA_FILE: optional(
    kinds.pem,
    "Authorities to check the mail server's certificate by, besides the well-known ones.",
    { source: "contents" },
  ),
  WEBHOOKS: optional(
    kinds.webhooks,
    "Addresses that are told what becomes of secrets; see [Notifications](#notifications).",
    { source: "value-or-file" },
  ),
  WEBHOOK_ALLOW_CIDRS: optional(
    kinds.networks,
    "Private and other special addresses that webhooks may lead to, and addresses that may be reached over plain http.",
  ),
  WEBHOOK_CA_FILE: optional(
    kinds.pem,
    "Authorities to check the certificates of webhooks by, besides the well-known ones.",
    { source: "contents" },
  ),
  NOTIFY_ADDRESSES: withDefault(
    kinds.onOff,
    "off",
    "`on`: notifications say from which client address a secret was opened.",
  ),
  ASSISTED: withDefault(
    kinds.onOff,
    "on",
    "Pages for browsers without script, where the server seals and opens. `off` removes them.",
  ),
  AUDIT_ADDRESSES: withDefault(
    kinds.oneOf(["none", "network", "full"]),
    "none",
    "What audit lines hold of a client's address: nothing, its network (`/24` of IPv4, `/48` of IPv6), or all of it.",
  ),
  AUDIT_SYSLOG_URL: optional(
    kinds.syslogUrl,
    "A receiver that audit lines are sent to as well, in RFC 5424 over TCP or TLS.",
  ),
  AUDIT_SYSLOG_CA_FILE: optional(
    kinds.pem,
    "Authorities to check the receiver's certificate by, instead of the well-known ones.",
    { source: "contents" },
  ),
  METRICS_PORT: optional(
    kinds.port,
    "A port of its own for `GET /metrics`. Without it there are no metrics.",
  ),
  LOG_LEVEL: withDefault(
    kinds.oneOf(["fatal", "error", "warn", "info", "debug", "trace", "silent"]),
    "info",
    "Least important log lines to write. Audit lines are written always, but with `silent`.",
  ),
});

export type Settings = z.output<typeof settings>;
export type SettingName = keyof Settings;

/** Every setting with what is said of it, in order. */
export function describeSettings(): ReadonlyArray<Documentation & { readonly name: SettingName }> {
  return Object.entries(settings.shape).map(([name, schema]) => {
    const described = documentation.get(schema);
    if (described === undefined)
      throw new Error(`${name} has no documentation. Declare it with withDefault or optional.`);
    return { name: name as SettingName, ...described };
  });
}

function withDefault<T>(kind: Kind<T>, text: string, about: string) {
  return kind.schema.prefault(text).register(documentation, {
    kind: kind.label,
    default: text,
    defaultNote: undefined,
    source: "value",
    about,
  });
}

function optional<T>(
  kind: Kind<T>,
  about: string,
  { source = "value", defaultNote }: { source?: Source; defaultNote?: string } = {},
) {
  return kind.schema
    .optional()
    .register(documentation, { kind: kind.label, default: undefined, defaultNote, source, about });
}
