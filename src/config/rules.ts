import { isDeepStrictEqual } from "node:util";
import {
  credentialNames,
  credentialsProblem,
  keyringCredentials,
  redisCredentials,
} from "./redis-credentials.ts";
import type { RedisAddress, RedisHost } from "./redis-url.ts";
import type { SettingName, Settings } from "./schema.ts";
import { formatDuration, formatSize } from "./units.ts";

/** What must hold between settings. Applied where each setting that it names is right by itself. */
export interface Rule {
  readonly names: readonly SettingName[];
  readonly check: (settings: Settings) => string | undefined;
}

export const rules: readonly Rule[] = [
  rule(["TTL_CHOICES", "MAX_TTL"], ({ TTL_CHOICES, MAX_TTL }) => {
    const longer = TTL_CHOICES.filter((choice) => choice > MAX_TTL).map(formatDuration);
    if (longer.length === 0) return undefined;
    return `TTL_CHOICES: longer than MAX_TTL (${formatDuration(MAX_TTL)}): ${longer.join(", ")}. Leave them out of TTL_CHOICES, or raise MAX_TTL.`;
  }),
  rule(["DEFAULT_TTL", "TTL_CHOICES"], ({ DEFAULT_TTL, TTL_CHOICES }) => {
    if (TTL_CHOICES.includes(DEFAULT_TTL)) return undefined;
    return `DEFAULT_TTL: ${formatDuration(DEFAULT_TTL)} is not one of TTL_CHOICES. Write one of ${TTL_CHOICES.map(formatDuration).join(", ")}, or add it to TTL_CHOICES.`;
  }),
  rule(
    ["MAX_TTL_BY_NETWORK", "MAX_TTL", "TTL_CHOICES"],
    ({ MAX_TTL_BY_NETWORK = [], MAX_TTL, TTL_CHOICES }) => {
      const shortest = Math.min(...TTL_CHOICES);
      const wrong = MAX_TTL_BY_NETWORK.find(({ seconds }) => seconds > MAX_TTL || seconds < shortest);
      if (wrong === undefined) return undefined;
      const entry = `${wrong.network}=${formatDuration(wrong.seconds)}`;
      return wrong.seconds > MAX_TTL
        ? `MAX_TTL_BY_NETWORK: ${entry} is longer than MAX_TTL (${formatDuration(MAX_TTL)}). Shorten it, or raise MAX_TTL.`
        : `MAX_TTL_BY_NETWORK: ${entry} is shorter than every one of TTL_CHOICES. Lengthen it, or add a shorter choice.`;
    },
  ),
  rule(
    [
      "TRUST_PROXY",
      "CREATE_ALLOW_CIDRS",
      "OPEN_ALLOW_CIDRS",
      "MAX_TTL_BY_NETWORK",
      "PUBLIC_URL",
      "TLS",
      "TLS_CERT_FILE",
    ],
    ({ TRUST_PROXY, PUBLIC_URL, TLS, TLS_CERT_FILE, ...lists }) => {
      const behindProxy = PUBLIC_URL?.protocol === "https:" && TLS === "off" && TLS_CERT_FILE === undefined;
      // TRUST_PROXY=0 is a word of the operator's: there is none, whatever PUBLIC_URL says.
      if (!behindProxy || TRUST_PROXY !== undefined) return undefined;
      const names = ["CREATE_ALLOW_CIDRS", "OPEN_ALLOW_CIDRS", "MAX_TTL_BY_NETWORK"] as const;
      const name = names.find((list) => lists[list] !== undefined);
      if (name === undefined) return undefined;
      return `TRUST_PROXY: is missing, and PUBLIC_URL is https that ends in front: everybody would count as the proxy, and ${name} would hold for all or for nobody. Set it to the number of proxies in front, or to their addresses; 0 if there is none.`;
    },
  ),
  rule(["ROLE", "REDIS_URL"], ({ ROLE, REDIS_URL }) => {
    if (ROLE === "both" || REDIS_URL !== undefined) return undefined;
    return `ROLE: ${ROLE} needs a Redis that it shares with the instance that does the rest. Set REDIS_URL, or write both.`;
  }),
  rule(["ROLE", "LINK_URL"], ({ ROLE, LINK_URL }) => {
    if (ROLE !== "create" || LINK_URL !== undefined) return undefined;
    return "LINK_URL: is missing, and with ROLE=create links can't be opened here. Set it to the PUBLIC_URL of the instance that opens.";
  }),
  rule(["STORE_BUDGET", "MAX_SECRET_BYTES"], ({ STORE_BUDGET, MAX_SECRET_BYTES }) => {
    if (STORE_BUDGET?.kind !== "size" || STORE_BUDGET.bytes >= 2 * MAX_SECRET_BYTES) return undefined;
    return `STORE_BUDGET: too little for secrets of MAX_SECRET_BYTES (${formatSize(MAX_SECRET_BYTES)}). Write at least ${formatSize(2 * MAX_SECRET_BYTES)}, or lower MAX_SECRET_BYTES.`;
  }),
  rule(["STORE_BUDGET", "REDIS_URL"], ({ STORE_BUDGET, REDIS_URL }) => {
    if (STORE_BUDGET?.kind !== "share" || REDIS_URL !== undefined) return undefined;
    return "STORE_BUDGET: a percentage is of what Redis may use, and REDIS_URL is not set. Write a size such as 256MiB, or set REDIS_URL.";
  }),
  rule(["UPLOADS_MAX_BYTES", "MAX_SECRET_BYTES"], ({ UPLOADS_MAX_BYTES, MAX_SECRET_BYTES }) => {
    if (UPLOADS_MAX_BYTES >= 2 * MAX_SECRET_BYTES) return undefined;
    return `UPLOADS_MAX_BYTES: too little for secrets of MAX_SECRET_BYTES (${formatSize(MAX_SECRET_BYTES)}). Write at least ${formatSize(2 * MAX_SECRET_BYTES)}, or lower MAX_SECRET_BYTES.`;
  }),
  rule(["KEYRING_REDIS_URL", "REDIS_URL"], ({ KEYRING_REDIS_URL, REDIS_URL }) => {
    if (KEYRING_REDIS_URL === undefined) return undefined;
    if (REDIS_URL === undefined)
      return "KEYRING_REDIS_URL: goes with REDIS_URL, which is not set. Set REDIS_URL, or remove this.";
    if (!isDeepStrictEqual(placeOf(KEYRING_REDIS_URL), placeOf(REDIS_URL))) return undefined;
    return "KEYRING_REDIS_URL: is the same as REDIS_URL. Give a second Redis, or remove this.";
  }),
  rule(["REDIS_URL", ...credentialNames.REDIS_URL], (settings) =>
    credentialsProblem("REDIS_URL", settings.REDIS_URL, redisCredentials(settings)),
  ),
  rule(["KEYRING_REDIS_URL", ...credentialNames.KEYRING_REDIS_URL], (settings) =>
    credentialsProblem("KEYRING_REDIS_URL", settings.KEYRING_REDIS_URL, keyringCredentials(settings)),
  ),
  rule(["REDIS_KEY_PREFIX", "REDIS_URL"], ({ REDIS_KEY_PREFIX, REDIS_URL }) => {
    if (REDIS_KEY_PREFIX === undefined || REDIS_URL !== undefined) return undefined;
    return "REDIS_KEY_PREFIX: goes with REDIS_URL, which is not set. Set REDIS_URL, or remove this.";
  }),
  rule(["REDIS_WAIT_REPLICAS", "REDIS_URL"], ({ REDIS_WAIT_REPLICAS, REDIS_URL }) => {
    if (REDIS_WAIT_REPLICAS === 0 || REDIS_URL !== undefined) return undefined;
    return "REDIS_WAIT_REPLICAS: goes with REDIS_URL, which is not set. Set REDIS_URL, or remove this.";
  }),
  rule(["KEYRING_REDIS_WAIT_REPLICAS", "KEYRING_REDIS_URL"], (settings) => {
    if (settings.KEYRING_REDIS_WAIT_REPLICAS === 0 || settings.KEYRING_REDIS_URL !== undefined)
      return undefined;
    return "KEYRING_REDIS_WAIT_REPLICAS: goes with KEYRING_REDIS_URL, which is not set. Set KEYRING_REDIS_URL, or remove this.";
  }),
  rule(["REDIS_CERT_FILE", "REDIS_KEY_FILE"], ({ REDIS_CERT_FILE, REDIS_KEY_FILE }) =>
    pairProblem("REDIS_CERT_FILE", REDIS_CERT_FILE, "REDIS_KEY_FILE", REDIS_KEY_FILE),
  ),
  rule(
    ["REDIS_URL", "KEYRING_REDIS_URL", "REDIS_CA_FILE", "REDIS_CERT_FILE", "REDIS_SERVER_NAME"],
    ({ REDIS_URL, KEYRING_REDIS_URL, ...ofTls }) => {
      const useless = (["REDIS_CA_FILE", "REDIS_CERT_FILE", "REDIS_SERVER_NAME"] as const).find(
        (name) => ofTls[name] !== undefined,
      );
      if (useless === undefined) return undefined;
      if ([REDIS_URL, KEYRING_REDIS_URL].some((address) => address?.tls)) return undefined;
      return `${useless}: has no use, since Redis is not reached over TLS. Write rediss:// in REDIS_URL, or remove this.`;
    },
  ),
  rule(["AUDIT_SYSLOG_CA_FILE", "AUDIT_SYSLOG_URL"], ({ AUDIT_SYSLOG_CA_FILE, AUDIT_SYSLOG_URL }) => {
    if (AUDIT_SYSLOG_CA_FILE === undefined || AUDIT_SYSLOG_URL?.tls) return undefined;
    return "AUDIT_SYSLOG_CA_FILE: has no use, since no receiver is reached over TLS. Write syslog+tls:// in AUDIT_SYSLOG_URL, or remove this.";
  }),
  rule(["TLS_CERT_FILE", "TLS_KEY_FILE"], ({ TLS_CERT_FILE, TLS_KEY_FILE }) =>
    pairProblem("TLS_CERT_FILE", TLS_CERT_FILE, "TLS_KEY_FILE", TLS_KEY_FILE),
  ),
  ...["SMTP_FROM" as const, "SMTP_ALLOW_DOMAINS" as const].map((name) =>
    rule(["SMTP_URL", name], (settings) => {
      if ((settings.SMTP_URL === undefined) === (settings[name] === undefined)) return undefined;
      if (settings.SMTP_URL === undefined)
        return `${name}: goes with SMTP_URL, which is not set. Set SMTP_URL, or remove this.`;
      const value =
        name === "SMTP_FROM" ? "the sender's address" : "who may be written to, such as example.com";
      return `${name}: is missing, but SMTP_URL is set. Write ${value}.`;
    }),
  ),
  rule(["SMTP_CA_FILE", "SMTP_URL"], ({ SMTP_CA_FILE, SMTP_URL }) => {
    if (SMTP_CA_FILE === undefined || (SMTP_URL !== undefined && SMTP_URL.security !== "none"))
      return undefined;
    return "SMTP_CA_FILE: has no use, since no mail server is reached over TLS. Write smtp:// or smtps:// in SMTP_URL, or remove this.";
  }),
  ...["WEBHOOK_ALLOW_CIDRS" as const, "WEBHOOK_CA_FILE" as const].map((name) =>
    rule([name, "WEBHOOKS"], (settings) => {
      if (settings[name] === undefined || settings.WEBHOOKS !== undefined) return undefined;
      return `${name}: goes with WEBHOOKS, which is not set. Set WEBHOOKS, or remove this.`;
    }),
  ),
  rule(["WEBHOOKS", "WEBHOOK_ALLOW_CIDRS"], ({ WEBHOOKS, WEBHOOK_ALLOW_CIDRS }) => {
    if (WEBHOOK_ALLOW_CIDRS !== undefined) return undefined;
    const plain = WEBHOOKS?.find(({ url }) => url.startsWith("http:"));
    if (plain === undefined) return undefined;
    return `WEBHOOKS: ${plain.name} is reached over plain http. Write https://, or list its address in WEBHOOK_ALLOW_CIDRS.`;
  }),
  rule(["TLS", "TLS_CERT_FILE"], ({ TLS, TLS_CERT_FILE }) => {
    if (TLS === "off" || TLS_CERT_FILE === undefined) return undefined;
    return "TLS: self-signed and TLS_CERT_FILE exclude each other. Remove one of them.";
  }),
  rule(["PUBLIC_URL", "TLS", "TLS_CERT_FILE"], ({ PUBLIC_URL, TLS, TLS_CERT_FILE }) => {
    if (PUBLIC_URL?.protocol !== "http:" || (TLS === "off" && TLS_CERT_FILE === undefined)) return undefined;
    return "PUBLIC_URL: starts with http://, but this process serves https. Write https://, or switch TLS off.";
  }),
  rule(
    ["REDIRECT_PORT", "PUBLIC_URL", "TLS", "TLS_CERT_FILE"],
    ({ REDIRECT_PORT, PUBLIC_URL, TLS, TLS_CERT_FILE }) => {
      const https =
        PUBLIC_URL === undefined
          ? TLS !== "off" || TLS_CERT_FILE !== undefined
          : PUBLIC_URL.protocol === "https:";
      if (REDIRECT_PORT === undefined || https) return undefined;
      return "REDIRECT_PORT: sends people on to https, but PUBLIC_URL is http. Set PUBLIC_URL to the https:// address, or remove this.";
    },
  ),
  differentPorts("REDIRECT_PORT", "PORT"),
  differentPorts("METRICS_PORT", "PORT"),
  differentPorts("METRICS_PORT", "REDIRECT_PORT"),
];

/** Where it is, whoever signs in, and however its hosts are ordered. */
function placeOf(address: RedisAddress): readonly unknown[] {
  const { kind, database } = address;
  const names = (hosts: readonly RedisHost[]) => hosts.map(({ host, port }) => `${host}:${port}`).sort();
  if (kind === "single") return [kind, database, names([address])];
  if (kind === "unix") return [kind, database, address.path];
  if (kind === "cluster") return [kind, database, names(address.nodes)];
  return [kind, database, names(address.sentinels), address.masterName];
}

/** The type keeps a rule from reading a setting that it does not name. */
function rule<N extends SettingName>(
  names: readonly N[],
  check: (settings: Pick<Settings, N>) => string | undefined,
): Rule {
  return { names, check };
}

function pairProblem(
  first: string,
  one: string | undefined,
  second: string,
  other: string | undefined,
): string | undefined {
  if ((one === undefined) === (other === undefined)) return undefined;
  const [there, missing] = one === undefined ? [second, first] : [first, second];
  return `${missing}: is missing, but ${there} is set. Set both or neither.`;
}

function differentPorts(name: "REDIRECT_PORT" | "METRICS_PORT", other: "PORT" | "REDIRECT_PORT"): Rule {
  return rule([name, other], (settings) => {
    if (settings[name] === undefined || settings[name] !== settings[other]) return undefined;
    return `${name}: is the same as ${other} (${settings[name]}). Choose another port.`;
  });
}
