import { ValueError } from "./value-error.ts";

/** `starttls`: encrypted before anything is said, or not at all; `tls`: from the first byte on; `none`: never. */
export type SmtpSecurity = "starttls" | "tls" | "none";

export interface SmtpAddress {
  readonly security: SmtpSecurity;
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/** Recipients' domains in lower case, or all of them. */
export type MailDomains = "any" | readonly string[];

const SCHEMES: Readonly<Record<string, { readonly security: SmtpSecurity; readonly port: number }>> = {
  smtp: { security: "starttls", port: 587 },
  smtps: { security: "tls", port: 465 },
  "smtp+insecure": { security: "none", port: 25 },
};

const FORMS =
  "Write smtp://[user:password@]host[:587] (STARTTLS), smtps://[user:password@]host[:465] (TLS) or " +
  "smtp+insecure://host[:25] (not encrypted)";

/**
 * The text of SMTP_URL. User and password are percent-encoded. Throws ValueError, whose message never
 * holds any part of the text.
 */
export function parseSmtpUrl(text: string): SmtpAddress {
  const [, scheme = "", credentials, bracketed, name, digits] =
    /^([a-z+]+):\/\/(?:([^@/?#]*)@)?(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::([0-9]{1,5}))?\/?$/.exec(
      text,
    ) ?? [];
  const kind = Object.hasOwn(SCHEMES, scheme) ? SCHEMES[scheme] : undefined;
  const host = bracketed ?? name;
  if (kind === undefined || host === undefined) {
    throw new ValueError(
      `is not the address of a mail server. ${FORMS}. Encode @ / ? # in a password as %40 %2F %3F %23.`,
    );
  }
  const port = digits === undefined ? kind.port : Number(digits);
  if (port < 1 || port > 65_535) throw new ValueError("has a port outside 1 to 65535. Correct the port.");
  return { security: kind.security, host, port, ...parseCredentials(credentials) };
}

function parseCredentials(text: string | undefined): Pick<SmtpAddress, "username" | "password"> {
  if (text === undefined) return { username: undefined, password: undefined };
  const colon = text.indexOf(":");
  const [username, password] = [decode(text.slice(0, Math.max(0, colon))), decode(text.slice(colon + 1))];
  if (colon >= 0 && username !== "" && password !== "") return { username, password };
  throw new ValueError(
    "has a user without a password or a password without a user. Write both, or nothing before the host.",
  );
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ValueError("has a % that encodes nothing. Write % itself as %25.");
  }
}

/** A host name of one label or more, in lower case; IDNs as xn--…; undefined for anything else. */
function parseDomain(text: string): string | undefined {
  const domain = text.toLowerCase();
  const isDomain =
    /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;
  return isDomain.test(domain) ? domain : undefined;
}

/**
 * One address and nothing else: no display name, no list, no comment, no quoting, no address literal,
 * ASCII only. The domain comes back in lower case. Without `%` and `!`, by which old relays are told to
 * pass a mail on to another domain than the one that was checked.
 */
export function parseMailbox(text: string): string | undefined {
  const at = text.lastIndexOf("@");
  const local = text.slice(0, Math.max(0, at));
  const domain = parseDomain(text.slice(at + 1));
  // RFC 5321, section 4.5.3.1.1, and dot-atoms of RFC 5322, section 3.2.3.
  const isLocal = /^(?=.{1,64}$)[A-Za-z0-9_+=&'~#][A-Za-z0-9_+=&'~#-]*(?:\.[A-Za-z0-9_+=&'~#-]+)*$/;
  if (domain === undefined || !isLocal.test(local) || text.length > 254) return undefined;
  return `${local}@${domain}`;
}

export function domainOf(mailbox: string): string {
  return mailbox.slice(mailbox.lastIndexOf("@") + 1);
}

export function parseFrom(text: string): string {
  const mailbox = parseMailbox(text);
  if (mailbox !== undefined) return mailbox;
  throw new ValueError("is not one plain address. Write it without a name, like waxseal@example.com.");
}

/** "example.com, example.org", or "*" for all there are. */
export function parseMailDomains(text: string): MailDomains {
  if (text === "*") return "any";
  const domains = text.split(",").map((item) => parseDomain(item.trim().replace(/^@/, "")));
  const known = domains.filter((domain) => domain !== undefined);
  if (known.length === domains.length) return [...new Set(known)];
  throw new ValueError(
    "has an item that is not a domain. Write domains with commas, like example.com, or * alone.",
  );
}
