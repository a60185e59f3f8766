import { isIP } from "node:net";
import { z } from "zod";
import type { NetworkTtl, StoreBudget } from "./config.ts";
import { parseNetworks, parseNetworkTtls } from "./network.ts";
import { parsePublicUrl } from "./public-url.ts";
import { parseRedisUrl, type RedisAddress } from "./redis-url.ts";
import { type MailDomains, parseFrom, parseMailDomains, parseSmtpUrl, type SmtpAddress } from "./smtp.ts";
import { parseSyslogUrl, type SyslogAddress } from "./syslog-url.ts";
import { parseTrustProxy } from "./trust-proxy.ts";
import {
  formatDuration,
  formatMilliseconds,
  formatSize,
  parseDuration,
  parseInteger,
  parseList,
  parseMilliseconds,
  parsePercentage,
  parseRateLimit,
  parseSize,
} from "./units.ts";
import { quote, ValueError } from "./value-error.ts";
import { parseWebhooks, type WebhookConfig } from "./webhooks.ts";

/** How a setting's text becomes a value, and how that is said in the README's table. */
export interface Kind<T> {
  readonly schema: z.ZodType<T, string>;
  /** A few words and an example; Markdown. */
  readonly label: string;
}

export const hostName: Kind<string> = {
  schema: text((value) => {
    if (isIP(value) === 0 && !/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(value)) {
      throw new ValueError(
        `${quote(value)} is not an address to listen on. Write an IP address or a name, without scheme and port.`,
      );
    }
    return value;
  }),
  label: "IP address or name",
};

export const port: Kind<number> = {
  schema: text((value) => {
    // A Kubernetes service called "metrics" puts METRICS_PORT=tcp://… into every pod of its namespace.
    if (/^(tcp|udp|sctp):\/\//.test(value)) {
      throw new ValueError(
        `${quote(value)} was set by Kubernetes for a service of that name. Set enableServiceLinks: false for the pod, or write the port here.`,
      );
    }
    return inRange(parseInteger(value), 1, 65_535, String);
  }),
  label: "port number",
};

export const publicUrl: Kind<URL> = {
  schema: text(parsePublicUrl),
  label: "`http(s)://host[:port][/path]`",
};

export const redisUrl: Kind<RedisAddress> = {
  schema: text(parseRedisUrl),
  label:
    "`redis://`, `unix:`, `redis+sentinel://` or `redis+cluster://` address; `rediss` in place of `redis` for TLS",
};

/** A user or a password, as it is. */
export const credential: Kind<string> = {
  schema: text((value) => {
    // Not repeated in the message.
    if (/[\r\n]/.test(value)) throw new ValueError("has several lines. Write one line.");
    return value;
  }),
  label: "text",
};

/** Before every key in Redis. Braces would put all keys into one slot of a Cluster; the others mean something in an ACL. */
export const keyPrefix: Kind<string> = {
  schema: text((value) => {
    if (/^[A-Za-z0-9:._/-]{1,64}$/.test(value)) return value;
    throw new ValueError(
      `${quote(value)} can't stand before every key. Write up to 64 letters, digits and : . _ / -, such as waxseal:.`,
    );
  }),
  label: "up to 64 letters, digits and `: . _ / -`",
};

/** As a certificate holds it. */
export const serverName: Kind<string> = {
  schema: text((value) => {
    if (isIP(value) === 0 && /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(value)) return value;
    // RFC 6066, section 3.
    throw new ValueError(`${quote(value)} is not a host name. Write the name that the certificate holds.`);
  }),
  label: "host name",
};

export const trustProxy: Kind<false | number | readonly string[]> = {
  schema: text(parseTrustProxy),
  label: "number of proxies, or a list of addresses, CIDR ranges, `loopback`, `linklocal`, `uniquelocal`",
};

export const networks: Kind<readonly string[]> = {
  schema: text(parseNetworks),
  label: "addresses and CIDR ranges with commas, IPv4 and IPv6",
};

export function networkTtls(min: number, max: number): Kind<readonly NetworkTtl[]> {
  return {
    schema: text((value) => parseNetworkTtls(value, min, max)),
    label: "CIDR range=duration with commas, such as `10.0.0.0/8=72h,0.0.0.0/0=24h,::/0=24h`",
  };
}

export const webhooks: Kind<readonly WebhookConfig[]> = {
  schema: text(parseWebhooks),
  label: 'JSON: `[{"name": "…", "url": "https://…", "format": "slack"}]`',
};

export const smtpUrl: Kind<SmtpAddress> = {
  schema: text(parseSmtpUrl),
  label: "`smtp://` (STARTTLS required), `smtps://` (TLS) or `smtp+insecure://` (not encrypted) address",
};

export const mailbox: Kind<string> = { schema: text(parseFrom), label: "e-mail address" };

export const mailDomains: Kind<MailDomains> = {
  schema: text(parseMailDomains),
  label: "domains with commas, or `*` for all",
};

export const syslogUrl: Kind<SyslogAddress> = {
  schema: text(parseSyslogUrl),
  label: "`syslog://host[:514]`, or `syslog+tls://host[:6514]`",
};

export const onOff: Kind<boolean> = {
  schema: choice(["on", "off"]).transform((value) => value === "on"),
  label: "`on` or `off`",
};

/** The contents of a PEM file; the setting itself is the path. */
export const pem: Kind<string> = {
  schema: text((value) => {
    if (!value.includes("-----BEGIN "))
      throw new ValueError("is not a PEM file. Give a file that holds -----BEGIN …-----.");
    return value;
  }),
  label: "path of a PEM file",
};

/** The path, kept. That the file is there is checked apart, with the other files. */
export const path: Kind<string> = {
  schema: text((value) => {
    // Not repeated in the message: what is pasted here by mistake may be a private key.
    if (value.includes("-----BEGIN"))
      throw new ValueError("holds a PEM text. Put it into a file and write the file's path here.");
    return value;
  }),
  label: "path of a PEM file, read again when it changes",
};

export const databasePath: Kind<string> = {
  schema: z.string(),
  label: "path of a MaxMind-format (`.mmdb`) file, read again when it changes",
};

export function duration(min: number, max: number): Kind<number> {
  return {
    schema: text((value) => inRange(parseDuration(value), min, max, formatDuration)),
    label: `duration, ${formatDuration(min)} to ${formatDuration(max)}`,
  };
}

/** The value is milliseconds. */
export function milliseconds(min: number, max: number): Kind<number> {
  return {
    schema: text((value) => inRange(parseMilliseconds(value), min, max, formatMilliseconds)),
    label: `duration, ${formatMilliseconds(min)} to ${formatMilliseconds(max)}`,
  };
}

export function durations(min: number, max: number): Kind<readonly number[]> {
  return {
    schema: text((value) =>
      parseList(value, (item) => inRange(parseDuration(item), min, max, formatDuration)),
    ),
    label: `durations with commas, ${formatDuration(min)} to ${formatDuration(max)} each`,
  };
}

export function size(min: number, max: number): Kind<number> {
  return {
    schema: text((value) => inRange(parseSize(value), min, max, formatSize)),
    label: `size, ${formatSize(min)} to ${formatSize(max)}`,
  };
}

/**
 * Of `maxmemory`, however many bytes an operator writes. Redis needs the rest itself: for connections, for
 * what is written down when a secret is opened.
 */
export const LARGEST_SHARE = 0.95;

export function storeBudget(min: number, max: number): Kind<StoreBudget> {
  const percent = (share: number) => `${Math.round(share * 100)}%`;
  return {
    schema: text((value) => {
      if (value.endsWith("%")) {
        return { kind: "share", share: inRange(parsePercentage(value), 0.01, LARGEST_SHARE, percent) };
      }
      return { kind: "size", bytes: inRange(parseSize(value), min, max, formatSize) };
    }),
    label: `percentage, 1% to ${percent(LARGEST_SHARE)}, or size, ${formatSize(min)} to ${formatSize(max)}`,
  };
}

export function integer(min: number, max: number): Kind<number> {
  return {
    schema: text((value) => inRange(parseInteger(value), min, max, String)),
    label: `whole number, ${min} to ${max}`,
  };
}

export const rateLimit: Kind<{ readonly count: number; readonly seconds: number }> = {
  schema: text(parseRateLimit),
  label: "count/duration",
};

export function oneOf<const T extends string>(values: readonly T[]): Kind<T> {
  return { schema: choice(values), label: values.map((value) => `\`${value}\``).join(", ") };
}

function choice<const T extends string>(values: readonly T[]): z.ZodType<T, string> {
  return text((value) => {
    const chosen = values.find((candidate) => candidate === value);
    if (chosen !== undefined) return chosen;
    throw new ValueError(`${quote(value)} is not one of the values. Write ${values.join(" or ")}.`);
  });
}

/** A zod type from a parser that throws ValueError. */
function text<T>(parse: (value: string) => T): z.ZodType<T, string> {
  return z.string().transform((value, context) => {
    try {
      return parse(value);
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      context.issues.push({ code: "custom", message: error.message, input: undefined });
      return z.NEVER;
    }
  });
}

function inRange(value: number, min: number, max: number, format: (value: number) => string): number {
  if (value >= min && value <= max) return value;
  throw new ValueError(`${format(value)} is out of range. Write ${format(min)} to ${format(max)}.`);
}
